package <- "scImpute"

denoise <- function(counts, seed, threads, clusters, threshold) {
  folder <- paste0(tempfile("scimpute"), "/") # scImpute pastes names of files to it
  dir.create(folder)
  on.exit(unlink(folder, recursive = TRUE))
  saveRDS(counts, paste0(folder, "counts.rds"))
  scImpute::scimpute(
    paste0(folder, "counts.rds"),
    infile = "rds", outfile = "rds", out_dir = folder, labeled = FALSE,
    drop_thre = as.numeric(threshold), Kcluster = as.integer(clusters), ncores = threads
  )
  pmax(as.matrix(readRDS(paste0(folder, "scimpute_count.rds"))), 0) # rounding may leave values just below 0
}
