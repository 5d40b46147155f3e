"""`make bench`: what choosing the next photo and preparing one cost, beside their rivals in the same run."""
