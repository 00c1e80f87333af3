//! Events, the changes that they make, and their derivatives.

use wengert::prelude::*;
use wengert_solve::Status;
use wengert_solve::de::{DormandPrince8, Event, Events, Heun, Ode, Solution, Tsit5};

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;
type State = [Var; 2];

const G: f64 = 9.81;

/// A ball that falls from a height, and bounces with a part `e` of its speed.
fn ball(height: Var, e: Var, end: f64) -> (Solution<State>, Events<State>) {
    let bounce = Event::new(|_, [x, _]: State| x)
        .falling()
        .then(move |_, [x, v]| [x, -e * v]);
    Ode::new(Tsit5)
        .rtol(1e-9)
        .atol(1e-9)
        .kept_events(4)
        .events([bounce])
        .solve(
            |_, [_, v]| [v, Var::from(-G)],
            [height, 0.0.into()],
            0.0,
            end,
        )
}

/// The time of the bounce with a number, from 0.
fn bounce(height: f64, e: f64, n: i32) -> f64 {
    let first = (2.0 * height / G).sqrt();
    first * (1.0 + 2.0 * (1..=n).map(|i| e.powi(i)).sum::<f64>())
}

/// The height at a time after the second bounce and before the third.
fn height(h: f64, e: f64, t: f64) -> f64 {
    let v = e * e * (2.0 * G * h).sqrt();
    let s = t - bounce(h, e, 1);
    v * s - 0.5 * G * s * s
}

#[test]
fn a_ball_bounces_as_it_should() -> Result {
    let (s, events) = jit(|(h, e): (Var, Var)| ball(h, e, 1.5)).call((1.0, 0.8))?;
    assert_eq!(s.statuses()?, [Status::Finished]);
    let times = events.times.to_vec::<f64>()?;
    for (i, t) in times.iter().take(2).enumerate() {
        assert!((t - bounce(1.0, 0.8, i as i32)).abs() < 1e-10, "{i} {t}");
    }
    assert!(times[2].is_nan() && times[3].is_nan());
    assert_eq!(events.count.item::<i64>()?, 2);
    assert_eq!(events.which.to_vec::<i64>()?, [0, 0, -1, -1]);
    // The states before the bounces.
    let v = events.states[1].to_vec::<f64>()?;
    assert!((v[0] + (2.0 * G).sqrt()).abs() < 1e-9 && (v[1] + 0.8 * (2.0 * G).sqrt()).abs() < 1e-9);
    assert!((s.y[0].item::<f64>()? - height(1.0, 0.8, 1.5)).abs() < 1e-9);
    Ok(())
}

#[test]
fn times_and_states_have_derivatives() -> Result {
    let wanted = |f: &dyn Fn(f64, f64) -> f64| {
        let (h, e, d) = (1.0, 0.8, 1e-5);
        [
            (f(h + d, e) - f(h - d, e)) / (2.0 * d),
            (f(h, e + d) - f(h, e - d)) / (2.0 * d),
        ]
    };
    let time = |(h, e): (Var, Var)| ball(h, e, 1.5).1.times.at(1);
    let place = |(h, e): (Var, Var)| ball(h, e, 1.5).0.y[0];
    let of_time = wanted(&|h, e| bounce(h, e, 1));
    let of_place = wanted(&|h, e| height(h, e, 1.5));
    let (th, te) = jit(grad(time)).call((1.0, 0.8))?;
    let (ph, pe) = jit(grad(place)).call((1.0, 0.8))?;
    for (got, want) in [&th, &te, &ph, &pe]
        .iter()
        .zip([of_time, of_place].concat())
    {
        assert!((got.item::<f64>()? - want).abs() < 1e-7, "{got} {want}");
    }
    // Forward, and in lanes.
    let along = move |(h, e): (Var, Var)| {
        jvp(
            move |h: Var| (time((h, e)), place((h, e))),
            h,
            Var::from(1.0),
        )
        .1
    };
    let (t, p) = jit(along).call((1.0, 0.8))?;
    assert!((t.item::<f64>()? - of_time[0]).abs() < 1e-7);
    assert!((p.item::<f64>()? - of_place[0]).abs() < 1e-7);
    let all = jit(vmap(grad(place))).call(([0.9, 1.0, 1.1], [0.8, 0.8, 0.8]))?;
    assert_eq!(
        all.0.to_vec::<f64>()?[1].to_bits(),
        ph.item::<f64>()?.to_bits()
    );
    // The second derivative of the time of the first bounce, √(2 h / g).
    let first = |h: Var| ball(h, 0.8.into(), 0.7).1.times.at(0);
    let second = jit(grad(grad(first))).call(1.0)?.item::<f64>()?;
    assert!((second + 0.25 * (2.0 / G).sqrt()).abs() < 1e-6, "{second}");
    Ok(())
}

#[test]
fn lanes_have_their_own_events() -> Result {
    let f = |h: Var| ball(h, 0.7.into(), 2.0);
    let heights = [0.1, 0.5, 1.0, 5.0, 25.0];
    let (all, events) = jit(vmap(f)).call(heights)?;
    for (i, h) in heights.into_iter().enumerate() {
        let (s, one) = jit(f).call(h)?;
        assert_eq!(
            all.y[0].to_vec::<f64>()?[i].to_bits(),
            s.y[0].item::<f64>()?.to_bits()
        );
        let (a, b) = (events.times.to_vec::<f64>()?, one.times.to_vec::<f64>()?);
        for (a, b) in a[4 * i..4 * i + 4].iter().zip(&b) {
            assert_eq!(a.to_bits(), b.to_bits());
        }
        let count = one.count.item::<i64>()?;
        assert_eq!(events.count.to_vec::<i64>()?[i], count);
        assert_eq!(count == 0, h == 25.0, "{h}");
    }
    Ok(())
}

#[test]
fn a_terminal_event_ends_it() -> Result {
    let oscillator = |_: Var, [x, v]: State| [v, -x];
    let run = |rising: bool, method_is_fixed: bool| -> Result<(f64, Vec<Status>)> {
        let f = jit(move |x: Var| {
            let zero = Event::new(|_, [x, _]: State| x).terminal();
            let zero = if rising { zero.rising() } else { zero };
            let ode = Ode::new(Tsit5).rtol(1e-10).atol(1e-10);
            let ode = if method_is_fixed { ode.fixed(400) } else { ode };
            ode.events([zero])
                .solve(oscillator, [x, 0.0.into()], 0.0, 10.0)
                .0
        });
        let s = f.call(1.0)?;
        assert!(s.y[0].item::<f64>()?.abs() < 1e-9);
        Ok((s.t.item()?, s.statuses()?))
    };
    use std::f64::consts::PI;
    for fixed in [false, true] {
        let (t, status) = run(false, fixed)?;
        assert!((t - PI / 2.0).abs() < 1e-8, "{t}");
        assert_eq!(status, [Status::Event]);
        let (t, _) = run(true, fixed)?;
        assert!((t - 1.5 * PI).abs() < 1e-8, "{t}");
    }
    // Backwards from 1 at 0, the cosine falls to zero at -π/2.
    let f = jit(move |x: Var| {
        let zero = Event::new(|_, [x, _]: State| x).terminal().falling();
        Ode::new(DormandPrince8)
            .events([zero])
            .solve(oscillator, [x, 0.0.into()], 0.0, -10.0)
            .0
            .t
    });
    assert!((f.call(1.0)?.item::<f64>()? + PI / 2.0).abs() < 1e-6);
    Ok(())
}

#[test]
fn several_events_come_in_their_order() -> Result {
    // The state is sin t; it crosses 0.5 and -0.5 in turn, and a clock ends it.
    let f = jit(|x: Var| {
        let high = Event::new(|_, y: Var| y - 0.5);
        let low = Event::new(|_, y: Var| y + 0.5).falling();
        let clock = Event::<Var>::new(|t, _| t - 6.0).terminal();
        Ode::new(Tsit5)
            .rtol(1e-9)
            .kept_events(3)
            .events([high, low, clock])
            .sample(|t, _| t.cos(), x, 0.0, Array::from([1.0, 5.0, 7.0]))
    });
    let (s, events) = f.call(0.0)?;
    use std::f64::consts::PI;
    for (t, want) in
        events
            .times
            .to_vec::<f64>()?
            .iter()
            .zip([PI / 6.0, 5.0 * PI / 6.0, 7.0 * PI / 6.0])
    {
        assert!((t - want).abs() < 1e-7, "{t} {want}");
    }
    assert_eq!(events.which.to_vec::<i64>()?, [0, 0, 1]);
    // The clock is counted, and not kept.
    assert_eq!(events.count.item::<i64>()?, 4);
    let rows = s.y.to_vec::<f64>()?;
    assert!((rows[0] - 1f64.sin()).abs() < 1e-7 && (rows[1] - 5f64.sin()).abs() < 1e-7);
    assert!(rows[2].is_nan());
    assert_eq!(s.statuses()?, [Status::Event]);
    Ok(())
}

#[test]
fn a_neuron_fires_and_is_reset() -> Result {
    // v' = i - v: it reaches 1 from 0 after ln(i / (i - 1)), again and again.
    let fire = |i: Var| {
        let spike = Event::new(|_, v: Var| v - 1.0)
            .rising()
            .then(|_, v| 0.0 * v);
        Ode::new(Tsit5)
            .rtol(1e-9)
            .atol(1e-9)
            .kept_events(8)
            .events([spike])
            .solve(move |_, v: Var| i - v, 0.0, 0.0, 5.0)
            .1
    };
    let period = |i: f64| (i / (i - 1.0)).ln();
    let events = jit(fire).call(1.5)?;
    let times = events.times.to_vec::<f64>()?;
    assert_eq!(events.count.item::<i64>()?, (5.0 / period(1.5)) as i64);
    for (n, t) in times.iter().take(4).enumerate() {
        assert!((t - period(1.5) * (n + 1) as f64).abs() < 1e-8, "{n} {t}");
    }
    let slope = jit(grad(move |i: Var| fire(i).times.at(3)))
        .call(1.5)?
        .item::<f64>()?;
    let want = 4.0 * (1.0 / 1.5 - 1.0 / 0.5);
    assert!((slope - want).abs() < 1e-6, "{slope} {want}");
    Ok(())
}

#[test]
fn a_function_of_time_jumps_at_an_event() -> Result {
    let f = jit(|t: Var| {
        let half = Event::new(|t, _: Var| t - 0.5).then(|_, y| y + 10.0);
        let (d, _) = Ode::new(Tsit5)
            .events([half])
            .dense(|_, _| Var::from(1.0), 0.0, 0.0, 1.0, 50);
        vmap(|t: Var| d.at(t))(t)
    });
    let y = f.call([0.25, 0.49, 0.51, 1.0])?.to_vec::<f64>()?;
    for (y, want) in y.iter().zip([0.25, 0.49, 10.51, 11.0]) {
        assert!((y - want).abs() < 1e-9, "{y} {want}");
    }
    Ok(())
}

#[test]
fn events_without_an_end_end_nevertheless() -> Result {
    // Zeno's ball bounces for ever before t = 4.1; and an event that is met where it starts.
    let (s, events) = jit(|h: Var| ball(h, 0.8.into(), 10.0)).call(1.0)?;
    assert_eq!(s.y[0].shape(), [0usize; 0]);
    assert!(events.count.item::<i64>()? > 20);
    let f = jit(|y: Var| {
        let stuck = Event::new(|_, y: Var| y).then(|_, y| -y);
        Ode::new(Tsit5)
            .max_steps(500)
            .events([stuck])
            .solve(|_, y: Var| -y.sign(), y, 0.0, 3.0)
            .0
    });
    let s = f.call(1.0)?;
    assert_eq!(s.statuses()?.len(), 1);
    // A value that is NaN is no event.
    let f = jit(|y: Var| {
        let never = Event::new(|_, y: Var| (y - 10.0).sqrt()).terminal();
        Ode::new(Heun)
            .fixed(10)
            .events([never])
            .solve(|_, y: Var| -y, y, 0.0, 1.0)
            .0
    });
    assert_eq!(f.call(1.0)?.statuses()?, [Status::Finished]);
    Ok(())
}

#[test]
fn mistakes_with_events_are_errors_at_the_users_line() {
    let ode = Ode::new(Tsit5);
    let e = jit(move |y: Var| {
        let e = Event::new(|_, y: Var| y);
        ode.events([e]).solve(|_, y| -y, y, 0.0, 1.0).0.y
    });
    let e = e.call([1.0, 2.0]).unwrap_err().to_string();
    assert!(
        e.starts_with("ode: the value of an event is f64[2], and must be one f64, at "),
        "{e}"
    );
    assert!(e.contains("events.rs"), "{e}");
    let e = jit(move |y: Var| {
        let e = Event::new(|_, y: Var| y.at(0)).then(|_, y| y.at(0));
        ode.events([e]).solve(|_, y| -y, y, 0.0, 1.0).0.y
    });
    let e = e.call([1.0, 2.0]).unwrap_err().to_string();
    assert!(
        e.starts_with("ode: the state has f64[2], and the changed state has f64, at "),
        "{e}"
    );
    let e = jit(move |y: Var| {
        let none: [Event<Var>; 0] = [];
        ode.events(none).solve(|_, y| -y, y, 0.0, 1.0).0.y
    });
    let e = e.call(1.0).unwrap_err().to_string();
    assert!(
        e.starts_with("ode: the list of events is empty; use `Ode::solve`, at "),
        "{e}"
    );
}
