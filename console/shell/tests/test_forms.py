"""Forms: each control knows its label, its hint and its error."""

import pytest
from django import forms
from django.template.loader import render_to_string
from django.test import RequestFactory

from console.shell.forms import ChoiceCards, ConsoleForm, Lines, TypedConfirmForm
from identity.kernel.errors import Invalid


class Example(ConsoleForm):
    name = forms.CharField(help_text="People see <it>.")
    kind = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=ChoiceCards(descriptions={"a": "First."}))
    uris = Lines(required=False)
    first_party = forms.BooleanField(required=False, help_text="Ours.")
    note = forms.CharField(required=False, widget=forms.Textarea)


def test_hint_and_error_describe_the_control():
    html = str(Example({}))
    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'id="id_name_helptext"' in html
    assert 'id="id_name_error"' in html
    assert 'aria-invalid="true"' in html
    assert '<label for="id_name">' in html


def test_hints_are_escaped():
    assert "People see &lt;it&gt;." in str(Example())


def test_choices_are_a_fieldset_with_a_legend_and_sentences():
    html = str(Example())
    assert "<fieldset" in html
    assert "<legend>Kind" in html
    assert "First." in html


def test_optional_fields_say_so_and_checkboxes_do_not():
    html = str(Example())
    assert html.count('class="opt"') == 2


def test_what_a_command_refuses_stands_at_its_field_or_above_the_form():
    form = Example({"name": "x", "kind": "a"})
    assert form.is_valid()
    form.add_refusal(Invalid("Taken.", field="name", code="taken"))
    form.add_refusal(Invalid("Full.", field="elsewhere"))
    assert form.errors["name"] == ["Taken."]
    assert form.has_error("name", "taken")
    assert form.non_field_errors() == ["Full."]
    assert 'role="alert"' in str(form)


def test_lines_are_a_list_without_blanks_and_repeats():
    form = Example({"name": "x", "kind": "a", "uris": " https://a \n\nhttps://b\r\nhttps://a"})
    assert form.is_valid()
    assert form.cleaned_data["uris"] == ["https://a", "https://b"]
    assert "https://a\nhttps://b" in str(Example(initial={"uris": ["https://a", "https://b"]}))


@pytest.mark.parametrize(
    ("typed", "valid"), [("Storefront Web", True), ("storefront web", False), ("", False), (" Storefront Web ", True)]
)
def test_the_name_must_match_to_the_letter(typed, valid):
    assert TypedConfirmForm({"confirm": typed}, expected="Storefront Web").is_valid() is valid


def test_the_confirming_button_works_without_scripts():
    form = TypedConfirmForm({"confirm": "x"}, expected="A <b>")
    html = render_to_string(
        "rk/dialog/typed_confirm.html", {"form": form, "expected": "A <b>"}, RequestFactory().get("/")
    )
    assert "disabled" not in html
    assert "A &lt;b&gt;" in html
    assert 'aria-invalid="true"' in html
