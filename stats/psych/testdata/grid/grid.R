# SPDX-License-Identifier: AGPL-3.0-or-later
# Makes grid.json beside this file from simulated data: Rscript grid.R 1 grid.json
# with R 4.2.2 and psych 2.2.9.
suppressMessages({library(psych); library(jsonlite)})
num <- function(x) I(as.numeric(x)); q <- function(e) { x <- suppressWarnings(suppressMessages(try(e, silent=TRUE))); if (inherits(x,"try-error")) {cat("!",substr(conditionMessage(attr(x,"condition")),1,90),"\n"); NULL} else x }
rows <- function(x) { x <- as.matrix(x); unname(lapply(seq_len(nrow(x)), function(i) num(x[i,]))) }
args <- commandArgs(TRUE); set.seed(as.integer(args[1])); out <- list(alpha=list(), icc=list(), kappa=list(), rsa=list())
simf <- function(n, nf, per, lv=0, miss=0) { g <- rnorm(n); X <- NULL; for (f in 1:nf) { eta <- .6*g+.8*rnorm(n); for (k in 1:per) { l <- .45+.1*k; X <- cbind(X, l*eta+sqrt(1-l^2)*rnorm(n)) } }; if (lv>0) X[] <- pmin(lv-1,pmax(0,floor(X*1.1+lv/2+.4))); if (lv==0) X <- round(X,4); X[runif(length(X))<miss] <- NA; colnames(X) <- paste0("x",seq_len(ncol(X))); as.data.frame(X) }
for (n in c(12,60,300)) for (miss in c(0,.15)) for (k in c(2,5,9)) { d <- simf(n,1,k,5,miss); if (any(sapply(d,function(z) length(unique(na.omit(z))))<2)) next
  a <- q(psych::alpha(d, check.keys=FALSE, warnings=FALSE)); if (is.null(a)) next
  out$alpha[[paste(n,miss,k)]] <- list(x=rows(d), raw=a$total$raw_alpha, std=a$total$std.alpha, g6=a$total$`G6(smc)`, r=a$total$average_r, ase=a$total$ase, feldt=num(unlist(a$feldt[c("lower.ci","upper.ci")])), drop=num(a$alpha.drop$raw_alpha), rdrop=num(a$item.stats$r.drop)) }
for (i in 1:6) { n <- c(3,6,10,25,40,8)[i]; k <- c(2,4,3,5,2,6)[i]; X <- round(matrix(rnorm(n*k),n)+rnorm(n,0,c(1,2,0,1,.5,3)[i])+rep(rnorm(k,0,.5),each=n),3); r <- q(psych::ICC(X, lmer=FALSE)$results); out$icc[[i]] <- list(x=rows(X), icc=num(r$ICC), F=num(r$F), df1=num(r$df1), df2=num(r$df2), p=num(r$p), lo=num(r[["lower bound"]]), hi=num(r[["upper bound"]])) }
for (i in 1:6) { k <- c(2,3,4,5,3,6)[i]; n <- c(30,80,100,250,15,400)[i]; a <- sample(1:k,n,TRUE); b <- ifelse(runif(n)<.6,a,sample(1:k,n,TRUE)); t <- table(factor(a,1:k),factor(b,1:k)); W <- 1-abs(outer(1:k,1:k,"-"))/(k-1); r <- cohen.kappa(t); rl <- q(cohen.kappa(t, w=W)); out$kappa[[i]] <- list(t=rows(unclass(t)), k=r$kappa, kw=r$weighted.kappa, kl=if(is.null(rl)) NA else rl$weighted.kappa, v=r$var.kappa) }
for (n in c(30,200)) { x<-round(rnorm(n),3); y<-round(.5*x+rnorm(n),3); z<-round(.3*x-.2*x*y+rnorm(n),3); m<-lm(z~x+y+I(x^2)+I(x*y)+I(y^2)); b<-coef(m)[-1]; V<-vcov(m)[-1,-1]; L<-rbind(c(1,1,0,0,0),c(0,0,1,1,1),c(1,-1,0,0,0),c(0,0,1,-1,1),c(0,0,1,0,-1)); a<-L%*%b; se<-sqrt(diag(L%*%V%*%t(L))); out$rsa[[paste(n)]] <- list(x=num(x),y=num(y),z=num(z),b=num(coef(m)),se=num(sqrt(diag(vcov(m)))),a=num(a),ase=num(se),p=num(2*pt(-abs(a/se),m$df.residual)),r2=summary(m)$r.squared) }
writeLines(toJSON(out, digits=I(15), auto_unbox=TRUE, null="null", na="null"), args[2]); cat(sapply(out,length),"cases\n")
