-- The items of a JSON array; text that is not JSON is one item
SELECT value FROM json_each(CASE WHEN json_valid(:json) THEN :json ELSE json_array(:json) END);
