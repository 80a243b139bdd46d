"""Documents that commands write: one self-contained file each, in either language."""
