// A curve that rises wherever its points rise, as a class of C++, and functions of C in front of it.
//
// Between points it is a cubic, with the slopes of F. N. Fritsch and J. Butland, "A method for constructing local monotone
// piecewise cubic interpolants", SIAM J. Sci. Stat. Comput. 5 (1984).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

class Curve {
public:
  Curve(std::vector<double> xs, std::vector<double> ys) : x(std::move(xs)), y(std::move(ys)), slope(x.size()) {
    const std::size_t n = x.size();
    if (n < 2) throw std::invalid_argument("a curve needs two points");
    std::vector<double> h(n - 1), d(n - 1);
    for (std::size_t i = 0; i + 1 < n; i++) {
      h[i] = x[i + 1] - x[i];
      if (!(h[i] > 0)) throw std::invalid_argument("point " + std::to_string(i + 1) + " is not right of that before");
      d[i] = (y[i + 1] - y[i]) / h[i];
    }
    slope.front() = d.front();
    slope.back() = d.back();
    for (std::size_t i = 1; i + 1 < n; i++) {
      if (d[i - 1] * d[i] <= 0) continue;
      const double a = h[i - 1] + 2 * h[i], b = 2 * h[i - 1] + h[i];
      slope[i] = (a + b) / (a / d[i] + b / d[i - 1]);
    }
  }

  // The value at a place, and the slope.
  double at(double place, double& change) const {
    if (!(place >= x.front() && place <= x.back())) {
      char said[96];
      std::snprintf(said, sizeof said, "%g is not between %g and %g", place, x.front(), x.back());
      throw std::out_of_range(said);
    }
    const auto after = std::upper_bound(x.begin() + 1, x.end() - 1, place);
    const std::size_t i = static_cast<std::size_t>(after - x.begin()) - 1;
    const double h = x[i + 1] - x[i], t = (place - x[i]) / h;
    const double s0 = h * slope[i], s1 = h * slope[i + 1], rise = y[i + 1] - y[i];
    const double c2 = 3 * rise - 2 * s0 - s1, c3 = s0 + s1 - 2 * rise;
    change = (s0 + t * (2 * c2 + t * 3 * c3)) / h;
    return y[i] + t * (s0 + t * (c2 + t * c3));
  }

private:
  std::vector<double> x, y, slope;
};

// Runs some code, of which no exception leaves; returns whether there was one, and writes its text.
template <class F> int guarded(char* text, std::size_t room, F run) noexcept {
  try {
    run();
    return 0;
  } catch (const std::exception& e) {
    std::snprintf(text, room, "%s", e.what());
  } catch (...) {
    std::snprintf(text, room, "an exception");
  }
  return 1;
}

} // namespace

extern "C" {

Curve* curve_new(std::size_t n, const double* x, const double* y, char* text, std::size_t room) {
  Curve* made = nullptr;
  guarded(text, room, [&] { made = new Curve({x, x + n}, {y, y + n}); });
  return made;
}

void curve_delete(Curve* curve) { delete curve; }

int curve_values(const Curve* curve, std::size_t n, const double* x, double* y, char* text, std::size_t room) {
  return guarded(text, room, [&] {
    double slope;
    for (std::size_t i = 0; i < n; i++) y[i] = curve->at(x[i], slope);
  });
}

// The pullback: what a small change of y[i] with the weight w[i] says of x[i].
int curve_pull(const Curve* curve, std::size_t n, const double* x, const double* w, double* pulled, char* text,
               std::size_t room) {
  return guarded(text, room, [&] {
    for (std::size_t i = 0; i < n; i++) {
      double slope;
      curve->at(x[i], slope);
      pulled[i] = slope * w[i];
    }
  });
}
}
