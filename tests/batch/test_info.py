import re

import numpy as np
import pandas as pd
import pytest
from made_scores import RECORDS, make_scores, tracks

from genomekit.batch import info_fields, info_of
from genomekit.genome.vcf_write import annotate_vcf
from genomekit.scores import Record, ScorePart, build


def test_the_strongest_score_of_each_scorer():
    info = info_of(make_scores())
    assert info[0] == {
        "GK_Mask_dnase": -2.0,  # |-2| before 0.5
        "GK_Mask_dnase_track": "gut",
        "GK_Gene_rna_seq": 6.0,  # of gene two
        "GK_Gene_rna_seq_track": "two_egg",
    }
    assert info[1]["GK_Junction"] == 4.0
    assert info[1]["GK_Junction_track"] == "one_gut"
    assert info[2] == {"GK_reason": "symbolic_allele"}


def test_every_value_has_its_header_line():
    scores = make_scores()
    fields = {field.id: field.type for field in info_fields(scores)}
    for values in info_of(scores).values():
        for name, value in values.items():
            assert fields[name] == ("Float" if isinstance(value, float) else "String")
    assert all(re.fullmatch(r"[A-Za-z_][0-9A-Za-z_.]*", name) for name in fields)  # VCF 4.3, section 1.4.2


def test_names_of_real_scorers():
    records, obs, rows = [Record(0, "I", 1, "A", "C")], pd.DataFrame({"record": [0]}), tracks("a")
    names = [
        "CenterMaskScorer(modality='dnase', width=501, aggregation='diff_log2_sum')",
        "CenterMaskScorer(modality='dnase', width=None, aggregation='diff_log2_sum')",
        "SpliceJunctionScorer()",
        "My scorer",
        "My;scorer",
    ]
    made = build(records, [ScorePart(name, "dnase", True, obs, rows, np.ones((1, 1))) for name in names])
    assert [field.id for field in info_fields(made) if field.type == "Float"] == [
        "GK_CenterMask_dnase_501_diff_log2_sum",
        "GK_CenterMask_dnase_None_diff_log2_sum",
        "GK_SpliceJunction",
        "GK_My_scorer",
        "GK_My_scorer_v2",
    ]


def test_a_shard_without_one_of_the_scorers_names_fields_as_the_others_do():
    obs, rows = pd.DataFrame({"record": [0]}), tracks("a")
    shard = build([Record(0, "I", 1, "A", "C")], [ScorePart("My;scorer", "dnase", True, obs, rows, np.ones((1, 1)))])
    assert "GK_My_scorer_v2" in info_of(shard, ["My scorer", "My;scorer"])[0]
    assert "GK_My_scorer" in info_of(shard)[0]


def test_no_character_that_vcf_forbids(tmp_path):
    record = [Record(0, "I", 1, "A", "C"), Record(1, "I", 1, "A", "G", reason="a;b = c,d\t<100 %>")]
    rows = tracks("liver; left=1, 50 %")
    made = build(record, [ScorePart("S", "atac", True, pd.DataFrame({"record": [0]}), rows, np.ones((1, 1)))])
    info = info_of(made)
    source = tmp_path / "in.vcf"
    lines = ["#CHROM POS ID REF ALT QUAL FILTER INFO", "I 1 . A C . . .", "I 1 . A G . . ."]
    source.write_text("\n".join(["##fileformat=VCFv4.3", *(line.replace(" ", "\t") for line in lines), ""]))
    annotate_vcf(source, tmp_path / "out.vcf", info_fields(made), lambda number, alleles: info[number])
    first, second = (line.split("\t")[7] for line in (tmp_path / "out.vcf").read_text().splitlines()[-2:])
    # Encoded once: 3B is ";", 3D "=", 2C ",", 25 "%".
    assert first == "GK_S=1;GK_S_track=liver%3B_left%3D1%2C_50_%25"
    assert second == "GK_reason=a%3Bb_%3D_c%2Cd_<100_%25>"


def test_the_merged_splicing_score_goes_along():
    obs = pd.DataFrame({"record": [0]})
    modalities = ("splice_sites", "splice_site_usage", "splice_junctions")
    parts = [ScorePart(f"S({name})", name, False, obs, tracks("a"), np.full((1, 1), 0.5)) for name in modalities]
    made = build(RECORDS, parts)
    info = info_of(made)
    assert info[0]["GK_merged_splicing"] == pytest.approx(0.5 + 0.5 + 0.5 / 5)
    assert info[1]["GK_merged_splicing"] == 0
    assert "GK_merged_splicing" not in info[2]
    assert "GK_merged_splicing" in {field.id for field in info_fields(made)}
