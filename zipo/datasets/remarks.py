"""Remarks on a data set, such as labels that its files lack: printed, and kept in uns["remarks"]."""

import anndata as ad

from zipo.shared.progress import say


def with_remarks(adata: ad.AnnData, remarks: list[str]) -> ad.AnnData:
    """The same data with further remarks in uns["remarks"], which are also warnings on standard error."""
    for remark in remarks:
        say(f"warning: {remark}")
    adata.uns["remarks"] = [*adata.uns.get("remarks", []), *remarks]
    return adata
