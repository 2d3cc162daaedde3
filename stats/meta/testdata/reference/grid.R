# SPDX-License-Identifier: AGPL-3.0-or-later
# Makes grid.json beside this file: Rscript grid.R sim 3 grid.json small (digits cut to 12 and some of the sets of nine studies left out); without the last word, or with dat for sim, many more data sets.
suppressMessages({library(metafor); library(jsonlite)})
ctl <- list(threshold=1e-13, maxiter=10000, tol=1e-13)
n <- function(x) if (is.null(x)) NULL else I(as.numeric(x))
uni <- function(m) { p <- tryCatch(predict(m), error=function(e) NULL)
  s <- list(k=m$k, p=m$p, tau2=m$tau2, se_tau2=m$se.tau2, beta=n(m$beta), se=n(m$se), stat=n(m$zval), pval=n(m$pval), ci_lb=n(m$ci.lb), ci_ub=n(m$ci.ub), QE=m$QE, QEp=m$QEp, QM=m$QM, QMp=m$QMp, I2=m$I2, H2=m$H2, R2=m$R2, logLik=as.numeric(logLik(m)))
  if (!is.null(p)) { s$pr <- n(p$pred); s$pr_se <- n(p$se); s$pr_lb <- n(p$ci.lb); s$pr_ub <- n(p$ci.ub); if(!is.null(p$pi.lb)) {s$pi_lb <- n(p$pi.lb); s$pi_ub <- n(p$pi.ub)} }
  s }
q <- function(e) { x <- suppressWarnings(try(e, silent=TRUE)); if (inherits(x,"try-error")) NULL else x }
ests <- c("FE","DL","HE","HS","SJ","PM","ML","REML","EB")
one <- function(y, v, X=NULL, int=TRUE) {
  o <- list(y=I(y), v=I(v), intercept=int)
  if (!is.null(X)) { X <- as.matrix(X); o$x <- lapply(seq_len(ncol(X)), function(j) I(as.numeric(X[,j]))) }
  sc <- min(1, mean(v)); ctl <- list(threshold=1e-13*sc, maxiter=10000, tol=1e-13*sc, tau2.max=1e4*max(v, y^2))
  f <- function(method, test) q(if (is.null(X)) rma(y, v, method=method, test=test, control=ctl) else rma(y, v, mods=X, intercept=int, method=method, test=test, control=ctl))
  o$fits <- list()
  for (e in ests) for (t in c("z","t","knha","adhoc")) { m <- f(e,t); if (!is.null(m)) o$fits[[paste(e,t)]] <- uni(m) }
  o$qp <- list(); for (e in c("DL","REML","PM","SJ")) { m <- f(e,"z"); c1 <- if(is.null(m)) NULL else q(confint(m, type="QP", control=list(tol=1e-14*sc, tau2.max=1e4*max(v,y^2), maxiter=10000), digits=12)); if (!is.null(c1)) o$qp[[e]] <- list(est=n(c1$random[,1]), lb=n(c1$random[,2]), ub=n(c1$random[,3]), null=isTRUE(c1$ci.null)) }
  o$pl <- list(); for (e in c("ML","REML")) { m <- f(e,"z"); c1 <- if(is.null(m)) NULL else q(confint(m, type="PL", control=list(tol=1e-14*sc, tau2.max=1e4*max(v,y^2), maxiter=10000))); if (!is.null(c1)) o$pl[[e]] <- list(lb=n(c1$random[,2]), ub=n(c1$random[,3])) }
  o$infl <- list(); for (e in c("REML","DL","FE")) for (t in c("z","knha")) { m <- f(e,t); i <- if(is.null(m)||m$k>60) NULL else q(influence(m)); if (!is.null(i)) { b<-q(baujat(m)); o$infl[[paste(e,t)]] <- c(lapply(unclass(i$inf)[c("rstudent","dffits","cook.d","cov.r","tau2.del","QE.del","hat","weight")], n), list(dfbs=lapply(as.data.frame(i$dfbs), n), is=I(as.logical(i$is.infl)), bx=if(!is.null(b)) n(b$x[order(b$ids)]), by=if(!is.null(b)) n(b$y[order(b$ids)]))) } }
  m <- f("REML","knha"); b <- if(is.null(m)) NULL else q(blup(m)); if(!is.null(b)) o$blup <- list(pred=n(b$pred), se=n(b$se), lb=n(b$pi.lb), ub=n(b$pi.ub))
  if (is.null(X) && length(y) > 2) {
    m <- f("REML","z")
    o$egger_m <- q({e1 <- regtest(m); list(z=e1$zval,p=e1$pval,est=e1$est,lb=e1$ci.lb,ub=e1$ci.ub)})
    o$egger_l <- q({e2 <- regtest(y, v, model="lm"); list(z=e2$zval,p=e2$pval,est=e2$est,lb=e2$ci.lb,ub=e2$ci.ub)})
    o$peese <- q({s <- summary(lm(y~v, weights=1/v))$coefficients; list(b=n(s[,1]), se=n(s[,2]), t=n(s[,3]), p=n(s[,4]))})
    o$begg <- q({r <- ranktest(y, v); list(tau=as.numeric(r$tau), p=r$pval)})
    o$tf <- list(); for (e in c("FE","DL","REML")) for (es in c("L0","R0","Q0")) for (sd in c("left","right","auto")) o$tf[[paste(e,es,sd)]] <- q({t <- trimfill(f(e,"z"), estimator=es, side=if(sd=="auto") NULL else sd); list(k0=t$k0, se=t$se.k0, side=t$side, b=as.numeric(t$beta), s=t$se, tau2=t$tau2)})
    o$fsn <- list(ros=q(fsn(y,v,type="Rosenthal")$fsnum), orw=q(fsn(y,v,type="Orwin")$fsnum), ros2=q(fsn(y,v,type="Rosenberg")$fsnum))
    m <- f("ML","z")
    for (alt in c("greater","less")) for(st in c("a","b")) o[[paste0("sel_",alt,st)]] <- q({s <- selmodel(m, type="stepfun", alternative=alt, steps=if(st=="a") .025 else c(.05,.5), control=list(optimizer="nlminb", rel.tol=1e-14)); if (isTRUE(any(is.na(s$se)))) NULL else list(b=n(s$beta), se=n(s$se), tau2=s$tau2, se_tau2=s$se.tau2, delta=n(s$delta), se_delta=n(s$se.delta), ll=as.numeric(logLik(s)), lrt=s$LRT, lrtp=s$LRTp)})
    m <- f("REML","z"); o$cum <- q({c1 <- cumul(m); list(est=n(c1$estimate), se=n(c1$se), tau2=n(c1$tau2), I2=n(c1$I2), H2=n(c1$H2), Q=n(c1$Q))}); o$l1o <- q({c1 <- leave1out(f("DL","knha")); list(est=n(c1$estimate), se=n(c1$se), lb=n(c1$ci.lb), ub=n(c1$ci.ub), tau2=n(c1$tau2), Q=n(c1$Q))})
  }
  o }
args <- commandArgs(TRUE); out <- list()
if (args[1]=="sim") { seed <- as.integer(args[2]); set.seed(seed)
  for (k in if (length(args)>3) c(2,3,5,9) else c(1,2,3,4,5,8,15,40)) for (t2 in if (length(args)>3) c(0,.1) else c(0,.05,2)) { v <- runif(k,.01,.3); y <- .3+rnorm(k,0,sqrt(v+t2)); out[[paste0("k",k,"_t",t2)]] <- one(y,v)
    if (k>=4) { x <- round(rnorm(k),3); z <- rep(0:1,length.out=k); out[[paste0("k",k,"_t",t2,"_x")]] <- one(y+.3*x,v,cbind(x));  if(k>=5) out[[paste0("k",k,"_t",t2,"_xz")]] <- one(y+.2*z,v,cbind(x,z)) } }
  for (k in if (length(args)>3) 4 else c(3,6)) { v <- rep(.04,k); out[[paste0("equalv",k)]] <- one(rnorm(k,0,.5),v); out[[paste0("spread",k)]] <- one(rnorm(k,0,.5),10^-(1:k)); out[[paste0("small",k)]] <- one(1e-6*rnorm(k),1e-12*runif(k)); out[[paste0("big",k)]] <- one(1e5*rnorm(k),1e10*runif(k,.5,2)) }
} else { suppressMessages(library(metadat)); if(FALSE) NULL
  add <- function(nm, d) { d <- as.data.frame(d)[,c("yi","vi")]; d <- d[complete.cases(d) & d$vi>0,]; if (nrow(d)<=120) out[[nm]] <<- one(as.numeric(d$yi), as.numeric(d$vi)) }
  for (nm in data(package="metadat")$results[,"Item"]) { d <- get(nm); if (!is.data.frame(d)) next
    if (all(c("yi","vi") %in% names(d))) add(nm,d)
    else if (all(c("ri","ni") %in% names(d))) add(nm, q(escalc("ZCOR",ri=ri,ni=ni,data=d)))
    else if (all(c("m1i","sd1i","n1i","m2i","sd2i","n2i") %in% names(d))) add(nm, q(escalc("SMD",m1i=m1i,sd1i=sd1i,n1i=n1i,m2i=m2i,sd2i=sd2i,n2i=n2i,data=d)))
    else if (all(c("ai","n1i","ci","n2i") %in% names(d))) for (me in c("OR","RR","RD","PETO")) q(add(paste(nm,me), escalc(me,ai=ai,n1i=n1i,ci=ci,n2i=n2i,data=d)))
  } }
writeLines(toJSON(out, digits=I(17), auto_unbox=TRUE, null="null", na="null"), args[3]); cat(length(out),"cases\n")
