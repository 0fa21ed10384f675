#!/bin/sh
# git asks this program for the user name and the password of a remote (GIT_ASKPASS).
# It answers for the one remote that it was started for and is silent for any other.
# The token is read from an open file that has no name, so that it stands in no argument,
# environment, file or configuration.
case $1 in
"Username for '$EVALHOOK_ASKPASS_ORIGIN': ") echo x-access-token ;;
"Password for '$EVALHOOK_ASKPASS_USER_ORIGIN': ") exec cat "/dev/fd/$EVALHOOK_ASKPASS_FD" ;;
*) exit 1 ;;
esac
