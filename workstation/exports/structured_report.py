"""DICOM Structured Report: TID 2000 Basic Diagnostic Imaging Report (PS3.16) as an Enhanced SR
(PS3.3 A.35.2), whose coded findings, measurements and observers hang below each sentence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO

from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import (
    CodeContentItem,
    ContainerContentItem,
    ContentItem,
    ContentSequence,
    DeviceObserverIdentifyingAttributes,
    EnhancedSR,
    ImageContentItem,
    NumContentItem,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    PnameContentItem,
    RelationshipTypeValues,
    TextContentItem,
)
from highdicom.sr import CodedConcept as DicomCode
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import EnhancedSRStorage, ExplicitVRLittleEndian

from inference.report_language import Statement
from workstation.dicom.header_text import derive_uid
from workstation.dicom.unreadable import muted_warnings
from workstation.exports import coded_concepts as coded
from workstation.exports.coded_concepts import CodedConcept
from workstation.exports.dicom_document import (
    MANUFACTURER,
    evidence_of,
    series_uid,
    stamp_times,
    verifying_observers,
)
from workstation.exports.exported_report import ExportedReport, ExportFailed
from workstation.exports.person_names import signer_name
from workstation.exports.report_provenance import model_of, provenance_values, sentence_values
from workstation.reporting.report_state import SECTIONS, Section, Sentence
from workstation.reporting.versions.stored_report import Addendum

SERIES_NUMBER = 9001
_CONTAINS = RelationshipTypeValues.CONTAINS
_MODIFIES = RelationshipTypeValues.HAS_CONCEPT_MOD
_PROPERTIES = RelationshipTypeValues.HAS_PROPERTIES
_INFERRED = RelationshipTypeValues.INFERRED_FROM
_UNITS = {"mm": "millimeter", "mm2": "square millimeter", "deg": "degree", "1": "no units"}


def write_structured_report(report: ExportedReport) -> bytes:
    """A DICOM file; the same report always gives the same bytes on one computer."""
    dataset = build_structured_report(report)
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def build_structured_report(report: ExportedReport) -> Dataset:
    """Complete where it is signed, verified by who signed it as final (C.17.2)."""
    observers = verifying_observers(report)
    try:
        with muted_warnings():
            document = _make_document(report, observers)
    except KeyError as unknown:  # highdicom looks up what modules a film of that class has
        reason = f"its SOP class {unknown} is none that a Structured Report can refer to"
        raise ExportFailed(report.images[0].path, reason) from None
    if observers:
        document.VerifyingObserverSequence = observers
    stamp_times(document, report)
    return document


def _make_document(report: ExportedReport, observers: Sequence[Dataset]) -> Dataset:
    first = observers[0] if observers else None
    return EnhancedSR(
        evidence=evidence_of(report),
        content=_root(report),
        series_instance_uid=series_uid(report, "sr"),
        series_number=SERIES_NUMBER,
        sop_instance_uid=report.document_uid("sr"),
        instance_number=report.issue_number,
        manufacturer=MANUFACTURER,
        is_complete=report.status != "draft",
        is_final=report.is_signed,
        is_verified=first is not None,
        verifying_observer_name=first.VerifyingObserverName if first is not None else None,
        verifying_organization=first.VerifyingOrganization if first is not None else None,
        previous_versions=_predecessors(report),
        transfer_syntax_uid=ExplicitVRLittleEndian,
        specific_character_set="ISO_IR 192",
        series_description="Report",
        content_qualification="RESEARCH",
        institution_name=report.study.institution or None,
        coding_schemes=[_own_scheme()],
    )


def _own_scheme() -> CodingSchemeIdentificationItem:
    """Says what 99ECHO is (C.12.1.1)."""
    return CodingSchemeIdentificationItem(
        "99ECHO", name="ECHO Workstation", responsible_organization="ECHO Workstation"
    )


def _predecessors(report: ExportedReport) -> list[Dataset] | None:
    """Every issue before, the newest first (C.17.2.1)."""
    found: list[Dataset] = []
    before = report.predecessor
    while before is not None:
        item = Dataset()
        item.StudyInstanceUID = before.study.study_instance_uid
        item.SeriesInstanceUID = series_uid(before, "sr")
        item.SOPClassUID = EnhancedSRStorage
        item.SOPInstanceUID = before.document_uid("sr")
        found.append(item)
        before = before.predecessor
    return found or None


def _root(report: ExportedReport) -> ContainerContentItem:
    root = ContainerContentItem(
        name=_code(coded.XRAY_REPORT), is_content_continuous=False, template_id="2000"
    )
    children: list[ContentItem] = [
        CodeContentItem(
            codes.DCM.LanguageOfContentItemAndDescendants,
            _code(coded.LANGUAGES[report.language]),
            _MODIFIES,
        ),
        *_observer_of(report),
        _container(coded.SUMMARY, _provenance(report)),
    ]
    if report.study.study_description:
        text = TextContentItem(_code(coded.PROCEDURE), report.study.study_description, _CONTAINS)
        children.append(_container(coded.PROCEDURES, [text]))
    for section in SECTIONS:
        items = _sentences(report, section)
        if section == "findings":
            items += _measurements(report)
        if items:
            children.append(_container(coded.HEADINGS[section], items))
    children += [_addendum(each) for each in report.addenda]
    images = [_image(each.sop_instance_uid, report, _CONTAINS) for each in report.images]
    children.append(_container(coded.KEY_IMAGES, images))
    root.ContentSequence = ContentSequence(children)
    return root


def _observer_of(report: ExportedReport) -> Sequence[ContentItem]:
    """The signer, and the model where one took part."""
    signature = report.signature
    observers: list[ContentItem] = []
    if signature is not None and report.status != "draft":
        observers += _person(signature.signer, report.study.institution)
    if report.model_sha256:
        observers += _device(report)
    return observers


def _person(name: str, organization: str = "") -> Sequence[ContentItem]:
    attributes = PersonObserverIdentifyingAttributes(
        signer_name(name), organization_name=organization or None
    )
    return ObserverContext(codes.DCM.Person, attributes)


def _device(report: ExportedReport) -> Sequence[ContentItem]:
    """The model as a device; its UID comes from its weights, its serial number is their hash."""
    attributes = DeviceObserverIdentifyingAttributes(
        uid=derive_uid(bytes.fromhex(report.model_sha256)),
        name=report.model_name or "model",
        model_name=report.model_name or None,
        serial_number=report.model_sha256,
    )
    return ObserverContext(codes.DCM.Device, attributes)


def _provenance(report: ExportedReport) -> list[ContentItem]:
    return [
        TextContentItem(_code(code), value, _CONTAINS) for code, value in provenance_values(report)
    ]


def _sentences(report: ExportedReport, section: Section) -> list[ContentItem]:
    statements = report.statements(section)
    return [
        _sentence(report, section, sentence, statements.get(sentence.id, []))
        for sentence in report.state.sentences(section)
    ]


def _sentence(
    report: ExportedReport, section: Section, sentence: Sentence, statements: list[Statement]
) -> ContentItem:
    """The sentence as it stands, who wrote it, and what it states in codes."""
    item = TextContentItem(_code(coded.ELEMENTS[section]), sentence.text, _CONTAINS)
    below = _authors(report, sentence)
    provenance = coded.PROVENANCES[sentence.provenance]
    below.append(CodeContentItem(_code(coded.PROVENANCE), _code(provenance), _PROPERTIES))
    if sentence.confidence is not None:
        unit = DicomCode("1", "UCUM", _UNITS["1"])
        value = round(sentence.confidence, 4)
        below.append(NumContentItem(_code(coded.CONFIDENCE), value, unit, None, _PROPERTIES))
    below += [
        TextContentItem(_code(code), value, _PROPERTIES)
        for code, value in sentence_values(sentence)
    ]
    below += [_statement(each) for each in statements]
    item.ContentSequence = ContentSequence(below)
    return item


def _authors(report: ExportedReport, sentence: Sentence) -> list[ContentItem]:
    """The model as an algorithm (TID 4019) and the person who answers for what isn't its own. Only
    containers may have an observer context (A.35.2.3.1.2)."""
    authors: list[ContentItem] = []
    name, version = model_of(report, sentence)
    if version:
        authors.append(TextContentItem(codes.DCM.AlgorithmName, name or "model", _MODIFIES))
        authors.append(TextContentItem(codes.DCM.AlgorithmVersion, version, _MODIFIES))
    if sentence.provenance != "ai" and report.signature is not None and report.status != "draft":
        signer = signer_name(report.signature.signer)
        authors.append(PnameContentItem(codes.DCM.PersonObserverName, signer, _PROPERTIES))
    return authors


def _statement(statement: Statement) -> ContentItem:
    finding = _code(coded.finding_code(statement.concept))
    item = CodeContentItem(_code(coded.FINDING), finding, _PROPERTIES)
    said = [(coded.PRESENCE, coded.PRESENCES[statement.status])]
    if statement.side is not None:
        said.append((coded.LATERALITY, coded.LATERALITIES[statement.side]))
    if statement.zone is not None:
        said.append((coded.ZONE, coded.ZONES[statement.zone]))
    if statement.severity is not None:
        said.append((coded.SEVERITY, coded.SEVERITIES[statement.severity]))
    item.ContentSequence = ContentSequence(
        [CodeContentItem(_code(name), _code(value), _MODIFIES) for name, value in said]
    )
    return item


def _measurements(report: ExportedReport) -> list[ContentItem]:
    """Each with the film it was taken on; without millimetres only as words."""
    items: list[ContentItem] = []
    for each in report.measurements:
        name = _code(coded.MEASUREMENTS[each.kind])
        if each.value is None:
            item: ContentItem = TextContentItem(_code(coded.COMMENT), each.text, _CONTAINS)
            below: list[ContentItem] = []
        else:
            unit = DicomCode(each.unit, "UCUM", _UNITS[each.unit])
            item = NumContentItem(name, each.value, unit, None, _CONTAINS)
            below = [TextContentItem(_code(coded.COMMENT), each.text, _PROPERTIES)]
        below.append(_image(each.sop_instance_uid, report, _INFERRED))
        item.ContentSequence = ContentSequence(below)
        items.append(item)
    return items


def _image(
    sop_instance_uid: str, report: ExportedReport, relationship: RelationshipTypeValues
) -> ContentItem:
    image = next(each for each in report.images if each.sop_instance_uid == sop_instance_uid)
    name = codes.DCM.SourceOfMeasurement if relationship is _INFERRED else _code(coded.KEY_IMAGES)
    return ImageContentItem(
        name, image.sop_class_uid, sop_instance_uid, relationship_type=relationship
    )


def _addendum(addendum: Addendum) -> ContentItem:
    item = TextContentItem(_code(coded.COMMENT), addendum.text, _CONTAINS)
    moment = datetime.fromisoformat(addendum.added_at)
    item.ObservationDateTime = moment.strftime("%Y%m%d%H%M%S%z")
    return _container(coded.ADDENDUM, [*_person(addendum.author), item])


def _container(name: CodedConcept, items: Sequence[ContentItem]) -> ContentItem:
    container = ContainerContentItem(
        name=_code(name), is_content_continuous=False, relationship_type=_CONTAINS
    )
    container.ContentSequence = ContentSequence(list(items))
    return container


def _code(concept: CodedConcept) -> DicomCode:
    return DicomCode(concept.value, concept.scheme, concept.meaning)
