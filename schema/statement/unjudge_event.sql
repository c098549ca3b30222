-- ?1 event: it was taken for lost, but the receiving capture is proven to miss segments around then
UPDATE segment_event SET kind = 'unjudged', reason = 'capture-doubtful' WHERE id = ?1;
