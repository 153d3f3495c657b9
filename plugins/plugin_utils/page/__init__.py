"""The report page: what is kept of a host's answers (kept), the charts' geometry (charts), the page itself (page)."""
