"""What people look at before they query: one page a release, and a picture of each dataset.

Belongs here: charts, words and pages made of a release's datasets. Not here: any figure that is in no dataset, but for
the difference of two.
"""
