import pytest

from corpusmill.errors import InputError
from corpusmill.recipe import TrainSettings, load_training


def load(tmp_path, text):
    path = tmp_path / "train.toml"
    path.write_text(text)
    return load_training(path)


def test_a_train_table_alone(tmp_path):
    assert load(tmp_path, "[train]\nlayers = 3\n") == TrainSettings(layers=3)


def test_a_whole_recipe(tmp_path):
    recipe = (
        '[[sources]]\nname = "a"\nkind = "mine"\npaths = ["x"]\n[tokenizer]\nvocab_size = 4096\n[train]\nseed = 2\n'
    )
    assert load(tmp_path, recipe).seed == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[train]\nlayer = 3\n", r"unknown key 'train\.layer'; allowed here: packing, row_length, "),
        ("[train.model]\nlayer = 3\n", r"unknown key 'train\.model\.layer'; did you mean 'layers'\?"),
        ("[trian]\nlayers = 3\n", r"unknown key 'trian'; did you mean 'train'\?"),
        ("[train]\nlayers = 0\n", r"train\.model\.layers: "),
        ("[train]\nwidth = 100\n", r"width 100 is not a multiple of 2 x heads \(6\)"),
        ("[train]\nkv_heads = 4\n", r"heads 6 is not a multiple of kv_heads \(4\)"),
        (f"[train]\nseed = {2**63}\n", r"train\.seed: input should be less than 9223372036854775808"),
        ("[train]\nwarmup_share = 0.8\n", "warmup_share and decay_share are together more than 1"),
        ("", r"has no table \[train\]"),
        ("[train", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path, text, message):
    with pytest.raises(InputError, match=rf"train\.toml: .*{message}"):
        load(tmp_path, text)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        load_training(tmp_path / "none.toml")
