#!/bin/sh
# In the place of dlbox-guard on a host of the suite: what `--window PYTHON confirm` answers is lost with its connection.
/usr/local/sbin/dlbox-guard.real "$@" >/root/answer
code=$?
[ "$3" != confirm ] || pkill -KILL -f '^sshd.*@notty'
cat /root/answer
exit $code
