"""slim's data sets: files of records, read by threads, decoded into named items.

Dataset    data_sources  reader      decoder                        num_samples
                |           |            |
provider   names of files  records    tensors        get(["image", "label"])
                queue   ->  queue   ->  by item   ->
"""
