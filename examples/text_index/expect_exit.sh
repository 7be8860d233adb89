#!/bin/sh
# expect_exit.sh <status> <regular expression> <program> <argument>...
#
# Runs a program that is to end with this status, and to print what matches.

status=$1
expected=$2
shift 2

output=$("$@" 2>&1)
ended=$?
printf '%s\n' "$output"
if [ "$ended" -ne "$status" ]; then
  echo "expect_exit: ended with $ended, expected is $status"
  exit 1
fi
if ! printf '%s\n' "$output" | grep -q -e "$expected"; then
  echo "expect_exit: nothing printed matches '$expected'"
  exit 1
fi
