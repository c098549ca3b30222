-- Where each vantage point stands between client and server, on average over the first flows
SELECT vantage_id, avg(position) FROM flow_vantage WHERE flow_id <= 20000 GROUP BY vantage_id;
