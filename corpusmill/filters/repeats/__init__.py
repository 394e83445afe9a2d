"""Text that stands in more than one document: which it is, and texts without it.

    units      lines, paragraphs, spans of three sentences, or runs of so many words, each with a hash
    counting   in how many documents a unit is, through one shuffle
    lines      lines and paragraphs of many documents, all of which are cut
    firsts     which occurrence of a repeated unit stays, through a second shuffle
    texts      repeated units, of which all others are cut
    cutting    texts without some of their units

All of it works on parts, and knows neither stages nor runners.
"""
