"""Edit `refinedweb_lines`: drop lines that are no prose: capitals, numbers, counters, single words, navigation.

Source: Penedo et al., "The RefinedWeb Dataset for Falcon LLM" (2023), appendix G.2, line-wise corrections.  The paper
gives an example for each list of phrases, and not the lists; those here are ours.
"""

from typing import Annotated, Literal

from pydantic import Field

from corpusmill.filters.edits.base import EditSettings, NumberOfWords
from corpusmill.settings import Share

Phrases = list[Annotated[str, Field(min_length=1)]]

COUNTED = [
    *("like", "likes", "share", "shares", "comment", "comments", "reply", "replies", "retweet", "retweets"),
    *("repost", "reposts", "quote", "quotes", "bookmark", "bookmarks", "upvote", "upvotes", "downvote", "downvotes"),
    *("download", "downloads", "view", "views", "follower", "followers", "subscriber", "subscribers", "vote", "votes"),
    *("reaction", "reactions", "rating", "ratings", "review", "reviews", "favorite", "favorites"),
]
AT_START = [
    *("sign in", "sign-in", "sign up", "sign-up", "log in", "login", "register", "skip to content"),
    *("skip to main content", "skip to navigation", "jump to navigation", "back to top", "click here", "posted by"),
    *("share this", "share on", "follow us", "subscribe to"),
]
AT_END = [
    *("read more", "read more...", "read more…", "continue reading", "learn more", "see more", "show more"),
    *("load more", "view more", "view all", "see all", "find out more", "leave a comment", "leave a reply"),
    *("reply", "share", "[...]"),
]
ANYWHERE = [
    *("items in cart", "item in cart", "items in your cart", "item in your cart", "add to cart", "add to basket"),
    *("your cart is empty", "cart is empty", "add to wishlist", "print this page", "share this page"),
]


class RefinedWebLines(EditSettings):
    """Settings of `refinedweb_lines`."""

    kind: Literal["refinedweb_lines"] = "refinedweb_lines"
    max_uppercase_share: Share = 0.5  # of the characters of a line that are no white space
    numbers: bool = True  # drop lines of numbers
    counters: Phrases = COUNTED  # drop lines such as "3 likes"; what can be counted
    min_words: NumberOfWords = 2  # of a line
    max_words_short: NumberOfWords = 10  # only in lines with at most so many words phrases are removed
    at_start: Phrases = AT_START
    at_end: Phrases = AT_END
    anywhere: Phrases = ANYWHERE
    keep_blocks: bool = True  # leave fenced code and tables of Markdown alone
