# SPDX-License-Identifier: AGPL-3.0-or-later
# Makes the further reference values beside this file from the data of the
# golden cases: Rscript make.R ../golden [case]
suppressMessages({library(metafor); library(clubSandwich); library(robumeta)})
folder <- commandArgs(TRUE)[1]; only <- commandArgs(TRUE)[2]
read <- function(name) read.csv(file.path(folder, name))
tight <- list(threshold=1e-13, maxiter=10000, tol=1e-13)
mvtight <- list(optimizer="optim", optmethod="BFGS", reltol=1e-15, maxit=20000)
json <- function(x) {
  if (is.null(x)) return("null")
  if (is.list(x)) return(if (is.null(names(x))) paste0("[", paste(sapply(x, json), collapse=", "), "]") else
    paste0("{", paste(sprintf("\"%s\": %s", names(x), sapply(x, json)), collapse=", "), "}"))
  x <- as.vector(x)
  s <- if (is.character(x)) sprintf("\"%s\"", x) else ifelse(is.na(x), "null", sprintf("%.15g", as.numeric(x)))
  if (length(s) == 1) s else paste0("[", paste(s, collapse=", "), "]")
}
versions <- lapply(c(metafor="metafor", clubSandwich="clubSandwich", robumeta="robumeta"), function(p) as.character(packageVersion(p)))
case <- function(id, call) { # delete a file to have it made anew
  if (file.exists(paste0(id, ".json")) || !is.na(only) && only != id) return(invisible())
  expected <- eval(call, new.env(parent=globalenv()))
  writeLines(paste0("{\"id\": \"", id, "\",\n \"r_version\": \"", R.version.string, "\", \"packages\": ", json(versions),
    ",\n \"r_call\": ", json(paste(gsub("\"", "'", gsub("\\", "\\\\", deparse(call, 200), fixed=TRUE)), collapse="\\n")),
    ",\n \"expected\": ", json(expected), "}"), paste0(id, ".json"))
}
table <- function(m) list(beta=c(m$beta), se=m$se, stat=m$zval, pval=m$pval, QM=m$QM, QMp=m$QMp, QE=m$QE, QEp=m$QEp)
uni <- function(m) c(table(m), list(tau2=m$tau2, I2=m$I2, H2=m$H2, R2=m$R2, logLik=c(logLik(m))))
mv <- function(m) c(table(m), list(sigma2=m$sigma2, logLik=c(logLik(m))))
bcg <- function() escalc(measure="RR", ai=tpos, bi=tneg, ci=cpos, di=cneg, data=read("meta_04_bcg_rr_metareg.csv"))

case("effects", quote({
  one <- function(e) list(y=c(e$yi), v=c(e$vi))
  smd <- lapply(c(LS="LS", LS2="LS2", UB="UB"), function(v) one(escalc(measure="SMD", m1i=c(5, 6), sd1i=c(2, 3), n1i=c(10, 20), m2i=c(4, 4.5), sd2i=c(2.5, 2), n2i=c(12, 18), vtype=v)))
  smdh <- one(escalc(measure="SMDH", m1i=c(5, 6), sd1i=c(2, 3), n1i=c(10, 20), m2i=c(4, 4.5), sd2i=c(2.5, 2), n2i=c(12, 18)))
  tab <- lapply(c(OR="OR", RR="RR", RD="RD", PETO="PETO", OR2DL="OR2DL"), function(m) one(escalc(measure=m, ai=c(4, 0, 3, 0), bi=c(6, 10, 4, 10), ci=c(2, 3, 0, 2), di=c(9, 8, 7, 0))))
  change <- lapply(c(SMCC="SMCC", SMCR="SMCR"), function(m) one(escalc(measure=m, m1i=c(5, 6), sd1i=c(2, 3), m2i=c(4, 4), sd2i=c(2.5, 2), ni=c(12, 18), ri=c(.4, .6))))
  list(smd=smd, smdh=smdh, table=tab, change=change)
}))

case("regression", quote({
  d <- bcg()
  alloc <- rma(yi, vi, mods=~0 + factor(alloc), data=d, control=tight)
  fe <- rma(yi, vi, mods=~ablat + year, data=d, method="FE", test="knha")
  t <- rma(yi, vi, mods=~ablat + year, data=d, test="t", control=tight)
  adhoc <- rma(yi, vi, mods=~ablat + factor(alloc), data=d, method="PM", test="adhoc", control=tight)
  p <- predict(t, newmods=c(33, 1970))
  ci <- confint(t, control=list(tol=1e-12))$random
  list(no_intercept=uni(alloc), fe_knha=uni(fe), t=uni(t), adhoc=uni(adhoc), predict=list(pred=p$pred, se=p$se, pi=c(p$pi.lb, p$pi.ub)),
    qprofile=list(tau2=c(ci[1, 2:3]), I2=c(ci[3, 2:3])),
    blup=lapply(c(z="z", knha="knha"), function(test) { b <- blup(rma(yi, vi, mods=~ablat, data=d, test=test, control=tight)); list(pred=b$pred, se=b$se, lb=b$pi.lb) }))
}))

case("influence", quote({
  m <- rma(yi, vi, mods=~ablat, data=bcg(), test="knha", control=tight)
  i <- influence(m)
  list(rstudent=i$inf$rstudent, dffits=i$inf$dffits, cook=i$inf$cook.d, covr=i$inf$cov.r, tau2=i$inf$tau2.del, QE=i$inf$QE.del,
    hat=i$inf$hat, weight=i$inf$weight, dfbetas=unname(lapply(seq_len(m$k), function(j) c(i$dfbs$intrcpt[j], i$dfbs$ablat[j]))), influential=as.numeric(i$is.infl))
}))

case("bias", quote({
  d <- bcg(); k <- read("meta_05_konstantopoulos_3level.csv")
  fs <- function(t) fsn(yi, vi, data=d, type=t)$fsnum
  q0 <- trimfill(rma(yi, vi, data=k, method="DL"), estimator="Q0"); r <- trimfill(rma(yi, vi, data=k, method="DL"), estimator="L0", side="right")
  tf <- function(x) list(k0=x$k0, side=x$side, se=x$se.k0, beta=c(x$beta), tau2=x$tau2)
  tie <- suppressWarnings(ranktest(k$yi, k$vi))
  eg <- regtest(rma(yi, vi, data=d, test="knha", control=tight)); em <- regtest(rma(yi, vi, mods=~ablat, data=d, control=tight))
  list(orwin=fs("Orwin"), rosenberg=fs("Rosenberg"), rosenthal=fs("Rosenthal"), trim_Q0=tf(q0), trim_right=tf(r), rank_ties=list(tau=c(tie$tau), p=tie$pval),
    egger_knha=list(stat=eg$zval, p=eg$pval, df=eg$ddf), egger_mods=list(stat=em$zval, p=em$pval))
}))

case("selection", quote({
  z <- function(name) escalc(measure="ZCOR", ri=ri, ni=ni, data=read(name))
  s <- function(d, mods=NULL, ...) { m <- if (is.null(mods)) rma(yi, vi, data=d, method="ML", control=tight) else rma(yi, vi, mods=mods, data=d, method="ML", control=tight)
    s <- selmodel(m, type="stepfun", ..., control=list(optimizer="optim", optmethod="BFGS", reltol=1e-16, maxit=10000))
    list(beta=c(s$beta), se=s$se, tau2=s$tau2, se_tau2=s$se.tau2, delta=s$delta[-1], se_delta=s$se.delta[-1], logLik=c(logLik(s)), LRT=s$LRT, LRTp=s$LRTp) }
  h <- read("meta_08_hackshaw_bias.csv"); mo <- z("meta_02_molloy_r_hksj_pi.csv")
  list(three=s(h, steps=.025), three_z=s(mo, steps=.025), four=s(z("meta_09_mcdaniel_r_subgroups.csv"), steps=c(.025, .5)),
    less=s(h, steps=.5, alternative="less"), moderator=s(mo, mods=~meanage, steps=.025))
}))

case("multilevel", quote({
  k <- read("meta_05_konstantopoulos_3level.csv"); a <- read("meta_06_assink_3level_robust.csv")
  Vd <- vcalc(vi, cluster=district, obs=study, data=k, rho=.5)
  rho <- rma.mv(yi, Vd, mods=~year, random=~1 | district/school, data=k, control=mvtight)
  Va <- vcalc(vi, cluster=study, time1=esid, phi=.8, data=a)
  ar <- rma.mv(yi, Va, mods=~pubstatus + year, random=~1 | study/esid, data=a, method="ML", test="t", control=mvtight)
  null <- rma.mv(yi, Va, random=~1 | study/esid, data=a, method="ML", test="t", control=mvtight)
  top <- rma.mv(yi, vi, random=~1 | district, data=k, control=mvtight)
  k$region <- k$district %/% 100; k$row <- seq_len(nrow(k)); k$half <- k$school %% 2
  four <- rma.mv(yi, vi, random=~1 | district/half/row, data=k, control=mvtight)
  fixed <- rma.mv(yi, vi, random=~1 | district/school, sigma2=c(NA, .02), data=k, control=mvtight)
  l <- anova(ar, null); p <- predict(ar, newmods=c(1, 5))
  rows <- rma.mv(yi, vi, random=~1 | study, data=k, control=mvtight); ci <- confint(rows, control=list(tol=1e-12))$random[1, 2:3]
  list(predict=list(pred=p$pred, se=p$se, ci=c(p$ci.lb, p$ci.ub), pi=c(p$pi.lb, p$pi.ub)), profile=c(ci), rho=mv(rho), ar=mv(ar), null=mv(null), LRT=list(chi2=l$LRT, p=l$pval), top=mv(top), four=mv(four), fixed=mv(fixed))
}))

case("robust", quote({
  a <- read("meta_06_assink_3level_robust.csv"); d <- bcg()
  m <- rma(yi, vi, mods=~factor(deltype) + year, data=a, control=tight)
  ct <- function(x, cl, type) { t <- coef_test(x, vcovCR(x, cluster=cl, type=type)); list(se=t$SE, df=t$df_Satt, p=t$p_Satt) }
  se <- function(x, cl, type) sqrt(diag(vcovCR(x, cluster=cl, type=type)))
  htz <- function(x, cl, i) { w <- Wald_test(x, constraints=constrain_zero(i), vcov="CR2", cluster=cl, test="HTZ"); list(F=w$Fstat, df=w$df_denom, p=w$p_val) }
  Va <- vcalc(vi, cluster=study, time1=esid, phi=.8, data=a)
  ar <- rma.mv(yi, Va, mods=~factor(deltype) + year, random=~1 | study/esid, data=a, control=mvtight)
  b <- rma(yi, vi, mods=~ablat, data=d, control=tight)
  list(uni_CR2=ct(m, a$study, "CR2"), uni_htz=htz(m, a$study, 2:4), CR0=se(m, a$study, "CR0"), CR1=se(m, a$study, "CR1p"), CR1m=se(m, a$study, "CR1"),
    mv_CR2=ct(ar, a$study, "CR2"), mv_htz=htz(ar, a$study, 2:3), single_CR2=ct(b, d$trial, "CR2"), alloc_htz=htz(b, d$trial, 1:2))
}))

case("rve", quote({
  a <- read("meta_06_assink_3level_robust.csv"); k <- read("meta_05_konstantopoulos_3level.csv")
  r <- function(x) list(b=x$reg_table$b.r, se=x$reg_table$SE, df=x$reg_table$dfs, p=x$reg_table$prob, tau2=as.numeric(x$mod_info$tau.sq), omega2=if (is.null(x$mod_info$omega.sq)) NULL else as.numeric(x$mod_info$omega.sq))
  k$half <- k$district %% 2
  list(corr=r(robu(yi ~ pubstatus + year, data=a, studynum=study, var.eff.size=vi, rho=.5, small=TRUE)),
    corr_k=r(robu(yi ~ year, data=k, studynum=district, var.eff.size=vi, rho=.8, small=TRUE)),
    hier=r(robu(yi ~ pubstatus + year, data=a, studynum=study, var.eff.size=vi, small=TRUE, modelweights="HIER")),
    hier_k=r(robu(yi ~ 1, data=k, studynum=district, var.eff.size=vi, small=TRUE, modelweights="HIER")),
    hier_km=r(robu(yi ~ year, data=k, studynum=district, var.eff.size=vi, small=TRUE, modelweights="HIER")))
}))

case("permutation", quote({
  d <- bcg()
  a <- permutest(rma(yi, vi, mods=~factor(alloc), data=d[1:9, ], control=tight), exact=TRUE, progbar=FALSE)
  s <- permutest(rma(yi, vi, data=d[1:9, ], method="DL"), exact=TRUE, progbar=FALSE)
  k <- permutest(rma(yi, vi, mods=~ablat, data=d[1:7, ], method="PM", test="knha"), exact=TRUE, progbar=FALSE)
  list(alloc=list(p=a$pval, QMp=a$QMp), signs=list(p=s$pval, QMp=s$QMp), knha=list(p=k$pval, QMp=k$QMp))
}))
