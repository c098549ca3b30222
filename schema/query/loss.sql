-- Segments between neighbouring vantage points, each way, with the loss rate and its interval at 95 %
SELECT from_vantage, to_vantage, sent, delivered, misaddressed, lost, capture_missed, unjudged,
	percent(1.0 * (lost + misaddressed) / max(sent - unjudged, 1)) AS rate,
	percent(wilson_low(lost + misaddressed, max(sent - unjudged, 1))) AS low,
	percent(wilson_high(lost + misaddressed, max(sent - unjudged, 1))) AS high
FROM loss
ORDER BY lost + misaddressed DESC, from_vantage, to_vantage;
