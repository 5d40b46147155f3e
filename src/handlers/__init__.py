"""Lambda entry points, one file each: validate the event, call one use case, log and count its outcome."""
