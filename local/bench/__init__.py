"""`make bench`: what choosing the next photo costs, and what preparing one costs, beside their rivals in the same run."""
