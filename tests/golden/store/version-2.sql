PRAGMA application_id = 1414678864;
PRAGMA user_version = 2;
BEGIN TRANSACTION;
CREATE TABLE events (
      at_s REAL NOT NULL, kind TEXT NOT NULL, worker TEXT NOT NULL, document TEXT NOT NULL);
INSERT INTO "events" VALUES(0.25,'worker-started','w1','{}');
INSERT INTO "events" VALUES(1.5,'finished','','{}');
CREATE TABLE header (document TEXT NOT NULL);
INSERT INTO "header" VALUES('{"scenario": "smoke", "seed": 1, "targets": [], "tripoint": "0.1.0"}');
CREATE TABLE reports (
      target TEXT NOT NULL, request_id TEXT NOT NULL, line TEXT NOT NULL,
      duration_ms REAL NOT NULL, billed_ms REAL NOT NULL, memory_mb INTEGER NOT NULL, used_mb INTEGER NOT NULL,
      init_ms REAL, restore_ms REAL, billed_restore_ms REAL,
      PRIMARY KEY (target, request_id)) WITHOUT ROWID;
INSERT INTO "reports" VALUES('aws','8f5c-0','REPORT RequestId: 8f5c-0',42.5,343.0,1769,88,300.25,NULL,NULL);
CREATE TABLE samples (
      "index" INTEGER NOT NULL, target TEXT NOT NULL, worker TEXT NOT NULL, stratum TEXT NOT NULL,
      intended_s REAL NOT NULL, sent_s REAL, done_s REAL, outcome TEXT NOT NULL, status INTEGER, error TEXT,
      state TEXT, connect_ms REAL, tls_ms REAL, answer_ms REAL,
      request_bytes INTEGER NOT NULL, response_bytes INTEGER NOT NULL,
      instance TEXT, request_number INTEGER, since_ready_ms REAL,
      process_start_unix_s REAL, init_start_unix_s REAL, init_ms REAL, imports_ms REAL, model_load_ms REAL,
      decode_ms REAL, preprocess_ms REAL, inference_ms REAL, total_ms REAL,
      model TEXT, label TEXT, platform TEXT, request_id TEXT,
      PRIMARY KEY (worker, "index")) WITHOUT ROWID;
INSERT INTO "samples" VALUES(0,'aws','w1','forced',0.5,0.501,1.25,'ok',200,NULL,'cold',0.5,NULL,0.125,1000,500,'i-1',1,2.5,1700000000.5,1700000000.75,300.5,200.25,80.5,5.5,4.5,30.5,42.5,'clothes 0.1.0','pants','on-demand','8f5c-0');
INSERT INTO "samples" VALUES(1,'gcp','w1','steady',1.0,NULL,NULL,'dropped',NULL,'in_flight_limit',NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE schedule (
      "index" INTEGER PRIMARY KEY, at_s REAL NOT NULL, target TEXT NOT NULL, stratum TEXT NOT NULL,
      image INTEGER NOT NULL, phase INTEGER NOT NULL);
INSERT INTO "schedule" VALUES(0,0.0,'aws','forced',2,0);
INSERT INTO "schedule" VALUES(1,0.5,'gcp','steady',1,1);
COMMIT;
