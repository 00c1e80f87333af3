# Minimax polynomials by exchange, with coefficients rounded one after another (needs mpmath).
from mpmath import mp, mpf, matrix, lu_solve, cos, pi
mp.dps = 50
def remez(g, w, a, b, n, fixed=(), iters=8):
    """n coefficients low to high; the first len(fixed) are given. minimise max w|p-g|"""
    a,b=mpf(a),mpf(b); k=len(fixed); m=n-k
    # h = (g - fixed)/x^k ; weight w*x^k
    xs=[(a+b)/2+(b-a)/2*cos(pi*(2*i+1)/(2*(m+1))) for i in range(m+1)][::-1]
    def resid(x): 
        v=g(x)
        p=mpf(0)
        for c in reversed(fixed): p=p*x+c
        return v-p
    N=40*(m+1)
    grid=[(a+b)/2-(b-a)/2*cos(pi*(i+mpf(1)/2)/N) for i in range(N)]
    grid=[a]+grid+[b]
    grid=[x for x in grid if x!=0]
    G=[resid(x) for x in grid]; W=[w(x) for x in grid]
    xs=[x if abs(x)>(b-a)/10**7 else (b-a)/1000000 for x in xs]
    best=None
    for it in range(iters):
        A=matrix(m+1,m+1); B=matrix(m+1,1)
        for i,x in enumerate(xs):
            for j in range(m): A[i,j]=x**(j+k)
            A[i,m]=(-1)**i/w(x); B[i]=resid(x)
        sol=lu_solve(A,B); c=[sol[j] for j in range(m)]
        E=[]
        for x,gv,wv in zip(grid,G,W):
            p=mpf(0)
            for cc in reversed(c): p=p*x+cc
            E.append(wv*(p*x**k-gv))
        mx=max(abs(e) for e in E)
        if best is None or mx<best[0]: best=(mx,c)
        if mx<abs(sol[m])*mpf('1.02'): break
        # alternating extrema
        ext=[]; i=0
        while i<len(E):
            s=E[i]>0; j=i; bi=i
            while j<len(E) and (E[j]>0)==s:
                if abs(E[j])>abs(E[bi]): bi=j
                j+=1
            ext.append(bi); i=j
        if len(ext)<m+1: break
        while len(ext)>m+1:
            if abs(E[ext[0]])<abs(E[ext[-1]]): ext.pop(0)
            else: ext.pop()
        xs=[grid[i] for i in ext]
    return list(fixed)+best[1], best[0]
def fit(name, g, w, a, b, n, fixed=(), rounds=None):
    """round coefficients one after another, refitting the rest"""
    c,err=remez(g,w,a,b,n,fixed)
    fx=list(fixed)
    e2=err
    while len(fx)<n:
        fx.append(mpf(float(c[len(fx)])))
        if len(fx)<n and (rounds is None or len(fx)<=rounds): c,e2=remez(g,w,a,b,n,tuple(fx),iters=6)
    # final error
    N=2000; mx=0
    for i in range(N+1):
        x=mpf(a)+(mpf(b)-mpf(a))*i/N
        if x==0: continue
        p=mpf(0)
        for cc in reversed(fx): p=p*x+cc
        mx=max(mx,abs(w(x)*(p-g(x))))
    print(f"// {name}: {n} coefficients on [{float(a):.6g},{float(b):.6g}], ideal 2^{float(mp.log(err,2)):.2f}, rounded 2^{float(mp.log(mx,2)):.2f}")
    for cc in fx: print(f"    {float(cc)!r},")
    print(flush=True)
    return fx
