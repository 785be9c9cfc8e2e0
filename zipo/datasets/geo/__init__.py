"""The paper's two deposits at the Gene Expression Omnibus."""
