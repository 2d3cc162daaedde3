# SPDX-License-Identifier: AGPL-3.0-or-later
# Makes three of forty simulated data sets on which lmer stops at a higher criterion
# than there is: slopes on calendar years (28, 38), and a boundary (36).
suppressMessages({library(lme4); library(jsonlite)}); set.seed(5)
no <- list(check.conv.grad="ignore", check.conv.singular="ignore", check.conv.hess="ignore")
lc <- do.call(lmerControl, c(list(optimizer="nloptwrap", optCtrl=list(xtol_abs=1e-12, ftol_abs=1e-12, xtol_rel=1e-12, ftol_rel=1e-14, maxeval=20000)), no))
bq <- do.call(lmerControl, c(list(optimizer="bobyqa"), no))
fs <- c("y~x+(x|g)","y~x*z+(x+z|g)","y~x+z+(x+z+w|g)","y~x+(x||g)+(1|h)","y~x+(x|g)+(z|h)","y~x+(x*z|g)","y~x+(1|g)+(1|h)+(1|k)","y~year+(year|g)","y~x+(1|h/g)", "y~x+(x|k)")
out <- list()
for (i in 1:40) { n <- sample(c(60,120,400),1); ng <- sample(c(6,12,20),1)
 d <- data.frame(g=sample(ng,n,TRUE),h=sample(7,n,TRUE),k=sample(4,n,TRUE),x=rnorm(n),z=rexp(n)*3,w=runif(n),year=sample(1990:2020,n,TRUE))
 s <- sample(c(0,.3,2),1); d$y <- 50+d$x+rnorm(ng,0,s)[d$g]+rnorm(ng,0,s*sample(0:1,1))[d$g]*d$x+rnorm(7,0,.3*s)[d$h]+rnorm(n)
 f <- fs[(i-1)%%10+1]; if (!i %in% c(28,36,38)) next
 data <- sprintf("lower_%d.csv", i); write.csv(d, data, row.names=FALSE); d <- read.csv(data)
 crit <- function(ctl) suppressMessages(suppressWarnings(REMLcrit(lmer(as.formula(f), d, control=ctl))))
 out[[length(out)+1]] <- list(data=data, formula=f, nloptwrap=crit(lc), bobyqa=crit(bq), default=crit(lmerControl())) }
writeLines(toJSON(list(r_version=R.version.string, lme4=as.character(packageVersion("lme4")), cases=out), digits=I(15), auto_unbox=TRUE, pretty=TRUE), "lower.json")
