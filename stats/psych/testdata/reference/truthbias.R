# SPDX-License-Identifier: AGPL-3.0-or-later
# Makes truthbias.json beside this file from simulated sessions.
suppressMessages({library(lmerTest); library(jsonlite)}); set.seed(5); num <- function(x) I(as.numeric(x))
lc <- lmerControl(optimizer="nloptwrap", optCtrl=list(xtol_abs=1e-12, ftol_abs=1e-12, xtol_rel=1e-12, ftol_rel=1e-14, maxeval=20000), check.conv.grad="ignore")
k <- 40; d <- data.frame(id=rep(seq_len(k),each=8)); d$t <- round(5+rnorm(k)[d$id]+rnorm(nrow(d)),3); m <- ave(d$t,d$id)
d$j <- round(m-.4+rnorm(k,0,.6)[d$id]+(.5+rnorm(k,0,.25)[d$id])*(d$t-m)+rnorm(nrow(d),0,.8),3); d$t[sample(nrow(d),20)] <- NA; d$j[sample(nrow(d),15)] <- NA
e <- d[complete.cases(d),]; m <- ave(e$t,e$id); e$y <- e$j-m; e$x <- e$t-m
f <- lmer(y ~ x + (x|id), e, control=lc); s <- summary(f)$coefficients; v <- as.data.frame(VarCorr(f)); ci <- cbind(s[,1]-qt(.975,s[,3])*s[,2], s[,1]+qt(.975,s[,3])*s[,2])
writeLines(toJSON(list(r_version=R.version.string, lmerTest=as.character(packageVersion("lmerTest")), judgment=num(d$j), truth=num(d$t), dyad=I(as.character(d$id)), n=nrow(e), est=num(s[,1]), se=num(s[,2]), t=num(s[,4]), p=num(s[,5]), lower=num(ci[,1]), upper=num(ci[,2]), sd=num(v$sdcor)), digits=I(15), auto_unbox=TRUE, na="null"), "truthbias.json")
