"""Gene programs: what the neurons of the first layer read, in which cells they are active, and what that tells."""
