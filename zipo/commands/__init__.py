"""ZiPo on the command line: what `zipo denoise`, fit, apply, tune, programs and plot do."""
