# The relative errors of the polynomials in the sources, as the comments there state them (needs mpmath).
from mpmath import *
import re
mp.prec=200
D='src/elementary/'  # run from the crate
def C(f,n):
    s=open(D+f).read(); return [mpf(float(x.replace('_','').strip())) for x in re.search(r"const "+n+r": \[f64; \d+\] = \[(.*?)\];",s,re.S).group(1).split(',') if x.strip()]
def P(c,x):
    r=mpf(0)
    for k in reversed(c): r=r*x+k
    return r
def chk(name,app,ex,a,b):
    m=0
    for i in range(1,1500):
        x=mpf(a)+(mpf(b)-mpf(a))*i/1500
        e=ex(x); m=max(m,abs(app(x)/e-1))
    print(f"{name:10s} 2^{float(log(m,2)):.2f}")
h=log(2)/2
q=C('exp.rs','Q'); chk("exp",lambda r:1+r+r*r*P(q,r),exp,-h,h)
q2=C('exp.rs','Q_FINE'); chk("expm1",lambda r:r+r*r*P(q2,r),expm1,-h,h)
zm=((sqrt(2)-1)/(sqrt(2)+1))**2
L=C('log.rs','L'); chk("log",lambda z:2+z*P(L,z),lambda z:2*atanh(sqrt(z))/sqrt(z),0,zm)
p=C('pow.rs','P'); chk("pow",lambda z:2+z*(mpf(2)/3+z*P(p,z)),lambda z:2*atanh(sqrt(z))/sqrt(z),0,zm)
S=C('trig.rs','S'); chk("sin",lambda r:r+r**3*P(S,r*r),sin,0,pi/2)
T=C('trig.rs','T'); chk("tan",lambda r:r+r**3*P(T,r*r),tan,0,pi/4)
S=C('inverse_trig.rs','S'); chk("asin",lambda r:r+r**3*P(S,r*r),asin,0,.5)
T2=C('inverse_trig.rs','T'); chk("atan",lambda r:r+r**3*P(T2,r*r),atan,0,1)
c=C('hyperbolic.rs','C'); chk("cosh",lambda r:1+r*r*P(c,r*r),cosh,0,h)
s=C('hyperbolic.rs','S'); chk("sinh",lambda r:r+r**3*P(s,r*r),sinh,0,h)
W=C('cbrt.rs','W'); chk("cbrt",lambda f:P(W,f),lambda f:(1+f)**(-mpf(1)/3),sqrt(mpf(1)/2)-1,sqrt(2)-1)
R=[mpf(0.6164975593127763)]+C('erf.rs','REST'); chk("erfc",lambda y:exp(-y*y)*P(R,(y-4)/(y+4))/(y+.5),erfc,.75,27.3)
N=C('erf.rs','NEAR'); m=0
for i in range(1000):
    y=1+mpf(5)*i/1000; m=max(m,abs(exp(-y*y)*P(N,(y-3)/(y+3))/(y+3)-erfc(y))/erfc(1))
print("near 2^",nstr(log(m,2),5))
V=C('erf.rs','V'); chk("erf",lambda y:y+y*P(V,y*y),erf,0,1)
V=C('erf.rs','V_SMALL'); chk("erfc small",lambda y:1-(y+y*P(V,y*y)),erfc,-.75,.75)
