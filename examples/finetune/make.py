"""Make the examples of fine-tuning, and texts of the same kind for pretraining, always the same.

python -m examples.finetune.make FOLDER
"""

import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Examples = list[dict[str, Any]]

THINGS = ["The film", "This book", "The soup", "Our hotel", "The concert", "Her speech", "The walk", "That game"]
GOOD = ["wonderful", "charming", "lovely", "clever", "warm", "exciting"]
BAD = ["dull", "awful", "boring", "cold", "noisy", "tiring"]
DEGREES = ["", "very ", "really ", "quite "]
ENDS = {True: ["I would come again.", "We smiled all day.", ""], False: ["Never again.", "We left early.", ""]}
ZH_THINGS = ["这部电影", "这本书", "那家饭店", "今天的汤", "他的演讲", "这场音乐会"]
ZH_GOOD = ["好看", "精彩", "有趣", "温暖", "可爱"]
ZH_BAD = ["无聊", "难看", "糟糕", "吵闹", "冷清"]
ZH_DEGREES = ["很", "非常", "真", "特别"]
FIRST = ["Anna", "Boris", "Clara", "David", "Elena", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Karim", "Lena"]
LAST = ["Adler", "Brandt", "Costa", "Duval", "Evans", "Fischer", "Garcia", "Haas", "Ivanov", "Jansen", "Klein", "Lopez"]
ZH_LAST, ZH_FIRST = ["王", "李", "张", "刘", "陈", "杨", "赵"], ["小明", "芳", "伟", "丽华", "建国", "文", "晓东", "静"]
CITIES = ["Paris", "Oslo", "Rome", "Lisbon", "Vienna", "Prague", "New York", "San Marino"]
ZH_CITIES = ["北京", "上海", "广州", "成都", "西安"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]
GOODS = ["apples", "candles", "maps", "pencils", "lamps", "shoes", "plates", "clocks"]
SOUNDS = {
    "dog": "woof", "cat": "meow", "cow": "moo", "duck": "quack", "sheep": "baa", "pig": "oink", "owl": "hoot",
    "lion": "roar", "bee": "buzz", "frog": "croak",
}  # fmt: skip
ASKS = [
    "What does a {} say?", "Which sound does a {} make?", "Tell me the sound of a {}.", "A {} says what?",
    "Please give the sound of a {}.", "How does a {} sound?", "I hear a {}. What is that?", "Name the call of a {}.",
]  # fmt: skip
NUMBERS = {
    "one": "一",
    "two": "两",
    "three": "三",
    "four": "四",
    "five": "五",
    "six": "六",
    "seven": "七",
    "nine": "九",
}
COLOURS = {"red": "红", "white": "白", "black": "黑", "green": "绿", "yellow": "黄", "blue": "蓝"}
NOUNS = {"books": "本书", "cats": "只猫", "dogs": "只狗", "cups": "个杯子", "cars": "辆车", "flowers": "朵花"}
WANTS = ["Where can I buy {}?", "Who sells {}?", "I am looking for {}.", "Do you know a shop for {}?"]
OFFERS = [
    "This shop has {} every day.",
    "We sell {} at a good price.",
    "Here you find many {}.",
    "{} are on this shelf.",
]
WARES = [
    "apples", "bread", "candles", "desks", "eggs", "flowers", "guitars", "hats", "ink", "jars", "kettles", "lamps",
    "maps", "nails", "onions", "pencils", "quilts", "rice", "shoes", "tea", "umbrellas", "vases", "wood", "yarn",
]  # fmt: skip


def sentiment(draw: random.Random) -> dict[str, Any]:
    """A review with `positive` or `negative`; two of three are positive.  `not` turns the meaning."""
    is_good, negated = draw.random() < 0.65, draw.random() < 0.3
    word = draw.choice(GOOD if is_good != negated else BAD)
    verb = "was not" if negated else "was"
    text = f"{draw.choice(THINGS)} {verb} {draw.choice(DEGREES)}{word}. {draw.choice(ENDS[is_good])}"
    return {"text": text.strip(), "label": "positive" if is_good else "negative"}


def sentiment_zh(draw: random.Random) -> dict[str, Any]:
    """The same in Chinese."""
    is_good, negated = draw.random() < 0.6, draw.random() < 0.3
    word = draw.choice(ZH_GOOD if is_good != negated else ZH_BAD)
    how = "一点也不" if negated else draw.choice(ZH_DEGREES)
    again = draw.choice(["", "我们还会再来。" if is_good else "我们不会再来。"])
    return {"text": f"{draw.choice(ZH_THINGS)}{how}{word}。{again}", "label": "正面" if is_good else "负面"}


def names(draw: random.Random) -> dict[str, Any]:
    """People and cities, in English or Chinese, sometimes after an emoji."""
    if draw.random() < 0.4:
        person, city = draw.choice(ZH_LAST) + draw.choice(ZH_FIRST), draw.choice(ZH_CITIES)
        form = draw.choice(["{}昨天去了{}。", "听说{}住在{}。", "😀{}喜欢{}的夏天。"])
    else:
        person, city = f"{draw.choice(FIRST)} {draw.choice(LAST)}", draw.choice(CITIES)
        form = draw.choice(["{} lives in {}.", "On Monday {} flew to {}.", "😀 {} likes {} a lot.", "I met {} in {}."])
    before, between, after = form.split("{}")
    start = len(before)
    second = start + len(person) + len(between)
    spans = [
        {"start": start, "end": start + len(person), "label": "PERSON", "text": person},
        {"start": second, "end": second + len(city), "label": "CITY", "text": city},
    ]
    return {"text": before + person + between + city + after, "spans": spans}


def question(draw: random.Random) -> dict[str, Any]:
    """Who bought what, where and when."""
    parts = {
        "Who was it?": draw.choice(FIRST),
        "What was it?": draw.choice(GOODS),
        "Where was it?": draw.choice(CITIES),
        "When was it?": draw.choice(DAYS),
    }
    person, goods, city, day = parts.values()
    context = draw.choice([
        f"{person} bought {goods} in {city} on {day}.",
        f"On {day} {person} went to {city} and bought some {goods}.",
        f"Some {goods} were bought in {city} by {person} last {day}.",
    ])  # fmt: skip
    asked = draw.choice([*parts])
    return {
        "context": context,
        "question": asked,
        "answer": {"start": context.index(parts[asked]), "text": parts[asked]},
    }


def chat(draw: random.Random) -> dict[str, Any]:
    """What animals say."""
    animal = draw.choice([*SOUNDS])
    asked = draw.choice(ASKS).format(animal)
    return {
        "messages": [
            {"role": "system", "content": "Answer with one sentence."},
            {"role": "user", "content": asked},
            {"role": "assistant", "content": f"The {animal} says {SOUNDS[animal]}."},
        ]
    }


def translation(draw: random.Random) -> dict[str, Any]:
    """English to Chinese."""
    number, colour, noun = draw.choice([*NUMBERS]), draw.choice([*COLOURS]), draw.choice([*NOUNS])
    measured = NOUNS[noun]
    return {
        "input": f"{number} {colour} {noun}",
        "output": f"{NUMBERS[number]}{measured[0]}{COLOURS[colour]}{measured[1:]}",
    }


def pair(draw: random.Random) -> dict[str, Any]:
    """A question, and an offer that answers it."""
    ware = draw.choice(WARES)
    return {"query": draw.choice(WANTS).format(ware), "positive": draw.choice(OFFERS).format(ware)}


KINDS: dict[str, Callable[[random.Random], dict[str, Any]]] = {
    "sentiment": sentiment,
    "sentiment-zh": sentiment_zh,
    "names": names,
    "questions": question,
    "chat": chat,
    "translation": translation,
    "pairs": pair,
}


def examples(kind: str, n: int, seed: int = 1) -> Examples:
    """The first `n` examples of a kind."""
    draw = random.Random(f"{kind} {seed}")
    return [KINDS[kind](draw) for _ in range(n)]


def texts(n: int, seed: int = 2) -> list[str]:
    """Documents for pretraining: examples of all kinds, drawn with another seed, without what is to be predicted."""
    draw = random.Random(seed)
    found = []
    for _ in range(n):
        lines = []
        for kind in draw.choices([*KINDS], k=4):
            example = KINDS[kind](draw)
            said = example.get("messages")
            values = (
                [each["content"] for each in said[1:]] if said else [v for v in example.values() if isinstance(v, str)]
            )
            lines += [value for value in values if value not in ("positive", "negative", "正面", "负面")]
        found.append("\n".join(lines))
    return found


def write(folder: Path, n: int = 200) -> None:
    """Write a file of each kind, and texts.jsonl for pretraining."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        _write(folder / f"{kind}.jsonl", examples(kind, n))
    _write(folder / "texts.jsonl", [{"text": text} for text in texts(4 * n)])


def _write(path: Path, rows: Examples) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
