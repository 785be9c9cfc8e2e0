"""What denoising is worth on a user's own counts: molecules are held out, predicted, and compared with simple means."""
