"""The paper's two deposits at the Gene Expression Omnibus: which files make them, and how they are assembled."""
