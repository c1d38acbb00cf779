"""The features of a pair of pictures, named as in libvmaf's logs; one file per feature, `registry` finds them by name."""
