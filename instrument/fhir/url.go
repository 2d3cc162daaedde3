// SPDX-License-Identifier: AGPL-3.0-or-later

package fhir

// Addresses of extensions and systems: https://hl7.org/fhir/R4/extensibility-registry.html,
// https://hl7.org/fhir/extensions/ and https://hl7.org/fhir/uv/sdc/.
const (
	hl7 = "http://hl7.org/fhir/StructureDefinition/"
	sdc = "http://hl7.org/fhir/uv/sdc/StructureDefinition/"
	own = "https://github.com/entente-project/entente/StructureDefinition/"

	translationURL = hl7 + "translation"
	ordinalURL     = hl7 + "ordinalValue"
	controlURL     = hl7 + "questionnaire-itemControl"
	minURL         = hl7 + "minValue"
	maxURL         = hl7 + "maxValue"
	stepURL        = hl7 + "questionnaire-sliderStepValue"
	variableURL    = hl7 + "variable"
	calculatedURL  = sdc + "sdc-questionnaire-calculatedExpression"

	// The standard step is a whole number; ours is for lines that are finer.
	fineStepURL = own + "line-step"

	controlSystem = "http://hl7.org/fhir/questionnaire-item-control"
	absentSystem  = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
	declinedCode  = "asked-declined"
)

// scoreURLs are under which the number of an answer is found: of R4, of R5, of
// drafts and of the versions before, which older exports still carry.
var scoreURLs = []string{
	ordinalURL, hl7 + "itemWeight", hl7 + "questionnaire-ordinalValue", hl7 + "valueset-ordinalValue",
	hl7 + "codesystem-ordinalValue", hl7 + "iso21090-CO-value",
}

var calculatedURLs = []string{calculatedURL, hl7 + "questionnaire-calculatedExpression", hl7 + "cqf-calculatedValue"}

// harmless are extensions that change how a question looks or where its answer
// goes, and not what is asked.
var harmless = []string{
	hl7 + "questionnaire-optionPrefix", hl7 + "questionnaire-minOccurs", hl7 + "questionnaire-maxOccurs", hl7 + "questionnaire-choiceOrientation",
	hl7 + "questionnaire-observationLinkPeriod", hl7 + "questionnaire-unit", hl7 + "questionnaire-displayCategory", hl7 + "rendering-styleSensitive",
	hl7 + "maxDecimalPlaces", hl7 + "maxSize", variableURL,
	sdc + "sdc-questionnaire-observationLinkPeriod", sdc + "sdc-questionnaire-observationExtract", sdc + "sdc-questionnaire-preferredTerminologyServer",
}
