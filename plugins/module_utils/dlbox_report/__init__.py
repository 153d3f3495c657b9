"""The report page: what is kept of a host's last answers (kept), the charts' geometry (charts), and the page itself (page)."""
