# SPDX-License-Identifier: AGPL-3.0-or-later
# Makes ordered_scores.json beside this file: posterior modes of ordered models by
# lavaan's own criterion, searched further than its default: Rscript ordered_scores.R 1 ordered_scores.json
# with R 4.2.2, lavaan 0.6-14, from simulated answers.
suppressMessages({library(lavaan); library(jsonlite)})
args <- commandArgs(TRUE); set.seed(as.integer(args[1])); num <- function(x) I(as.numeric(x)); rows <- function(x) unname(lapply(seq_len(nrow(x)), function(i) num(x[i,])))
ebm <- lavaan:::lav_predict_eta_ebm_ml
text <- paste(deparse(ebm), collapse="\n")
text <- gsub("rel.tol = 1e-08", "rel.tol = 1e-14, x.tol = 1e-11, iter.max = 1000, eval.max = 2000", text, fixed=TRUE)
text <- gsub("out$convergence == 0L", "TRUE", text, fixed=TRUE) # nlminb calls so tight a search false convergence
text <- gsub("theta.sd = theta.sd,", "g = g, theta.sd = theta.sd,", text, fixed=TRUE) # lavaan leaves the group out, and takes the loadings of the first for all
tight <- eval(parse(text=text), asNamespace("lavaan")); out <- list()
for (p in list(c(150,1,4,3), c(200,2,3,5), c(300,2,3,2), c(250,3,3,4))) {
  n <- p[1]; nf <- p[2]; k <- p[3]; cats <- p[4]; X <- NULL; common <- rnorm(n)
  for (f in 1:nf) { eta <- .6*common+.8*rnorm(n); for (j in 1:k) { l <- .5+.1*j; X <- cbind(X, cut(l*eta+sqrt(1-l^2)*rnorm(n), c(-Inf, qnorm(seq(1,cats-1)/cats*.8+.1*(j%%2)), Inf), labels=FALSE)) } }
  d <- as.data.frame(X); names(d) <- paste0("x", seq_along(d))
  m <- paste(sapply(1:nf, function(f) paste0("f", f, " =~ ", paste(paste0("x", (f-1)*k+1:k), collapse=" + "))), collapse="\n")
  if (p[4] == 2) d$g <- rep(1:2, length.out=n)
  fit <- if (p[4] == 2) cfa(m, d, ordered=names(d)[1:(nf*k)], group="g") else cfa(m, d, ordered=names(d))
  s <- tight(fit, optim.method="nlminb")
  out[[length(out)+1]] <- list(model=m, x=rows(as.matrix(d[1:(nf*k)])), group=if (p[4]==2) I(as.character(d$g)) else NULL, own=rows(do.call(rbind, if (is.list(lavPredict(fit))) lavPredict(fit) else list(lavPredict(fit)))), scores=rows(do.call(rbind, s))) }
writeLines(toJSON(out, digits=I(12), auto_unbox=TRUE, null="null", na="null"), args[2])
