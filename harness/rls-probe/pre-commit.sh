#!/bin/sh
# A hook for git: ln -s ../../<path to this file> .git/hooks/pre-commit
# Probes the migrations when one of them is staged. RLS_PROBE_FAIL_ON is the least harm that stops the commit.
set -eu
folder=${RLS_PROBE_MIGRATIONS:-supabase/migrations}
if git diff --cached --quiet -- "$folder"; then
  exit 0
fi
exec rls-probe --migrations "$folder" --fail-on "${RLS_PROBE_FAIL_ON:-high}"
