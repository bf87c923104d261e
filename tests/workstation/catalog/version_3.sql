BEGIN TRANSACTION;
CREATE TABLE addendum (
	id INTEGER NOT NULL, 
	study_instance_uid VARCHAR NOT NULL, 
	author VARCHAR NOT NULL, 
	added_at VARCHAR NOT NULL, 
	text VARCHAR NOT NULL, 
	audit_row INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(study_instance_uid) REFERENCES signature (study_instance_uid)
);
INSERT INTO "addendum" VALUES(1,'1.2.3','Dr. Roe','2026-11-21T09:35:05.078825+00:00','Prior now seen.',6);
CREATE TABLE audit_entry (
	"row" INTEGER NOT NULL, 
	recorded_at VARCHAR NOT NULL, 
	event VARCHAR NOT NULL, 
	user VARCHAR NOT NULL, 
	study_instance_uid VARCHAR NOT NULL, 
	details VARCHAR NOT NULL, 
	previous_hash VARCHAR NOT NULL, 
	hash VARCHAR NOT NULL, 
	PRIMARY KEY ("row")
);
INSERT INTO "audit_entry" VALUES(1,'2026-11-21T09:35:04.751880+00:00','edit','ann','1.2.3','{"after":"No mass.","before":"","decoding":{"mode":"one-step"},"kind":"draft","model_sha256":"abababababababababababababababababababababababababababababababab","section":"findings"}','0000000000000000000000000000000000000000000000000000000000000000','79926af1e9061f235645be22430b8fa4c5a502cc32dcb50bb27db3b9ab397841');
INSERT INTO "audit_entry" VALUES(2,'2026-11-21T09:35:04.818500+00:00','edit','ann','1.2.3','{"after":"Normal.","before":"","decoding":{"mode":"one-step"},"kind":"draft","model_sha256":"abababababababababababababababababababababababababababababababab","section":"impression"}','79926af1e9061f235645be22430b8fa4c5a502cc32dcb50bb27db3b9ab397841','21771fc97449c2942f86c37424a83d4319d4fde0076783c233fcbb7c94e858dd');
INSERT INTO "audit_entry" VALUES(3,'2026-11-21T09:35:04.819128+00:00','edit','ann','1.2.3','{"after":"Clips.","before":"","kind":"add","section":"findings"}','21771fc97449c2942f86c37424a83d4319d4fde0076783c233fcbb7c94e858dd','39b56333b860c64bad499d51332fd96bbefe5f2565f7e3da412bd9df19996889');
INSERT INTO "audit_entry" VALUES(4,'2026-11-21T09:35:04.910416+00:00','edit','ann','1.2.4','{"after":"Unclear.","before":"","kind":"add","section":"findings"}','39b56333b860c64bad499d51332fd96bbefe5f2565f7e3da412bd9df19996889','418bc7d55bc44a4c2a2af2cf7bbb928aec04c6139c542ee83c842b2b414d5e9f');
INSERT INTO "audit_entry" VALUES(5,'2026-11-21T09:35:04.998816+00:00','sign','Dr. Roe','1.2.3','{"meaning":"I have reviewed the images and approve this report.","provenance":{"ai":2,"human":1},"signer":"Dr. Roe","state_sha256":"d46ddde1978b79ebc9e2f303fa4592abd12af17bfd1d6d4dfa1c0e886e26f67d","text":"Findings: No mass. Clips.\nImpression: Normal.","text_sha256":"cc7645a691a0cbe8b722ec650ef2a488eef0f6185bea52c5e405b753b87a80f2"}','418bc7d55bc44a4c2a2af2cf7bbb928aec04c6139c542ee83c842b2b414d5e9f','cac18b95ebec23e9842bd0a818047c6c2da032434601f53b80adf9ebf3ab5b94');
INSERT INTO "audit_entry" VALUES(6,'2026-11-21T09:35:05.078825+00:00','addendum','Dr. Roe','1.2.3','{"author":"Dr. Roe","text":"Prior now seen."}','cac18b95ebec23e9842bd0a818047c6c2da032434601f53b80adf9ebf3ab5b94','aefd8933b5db878a21cec0da8c70dececaaf1179b64c4ce5de625807f6d6505a');
CREATE TABLE audit_head (
	id INTEGER NOT NULL, 
	"row" INTEGER NOT NULL, 
	hash VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	CHECK (id = 1)
);
INSERT INTO "audit_head" VALUES(1,6,'aefd8933b5db878a21cec0da8c70dececaaf1179b64c4ce5de625807f6d6505a');
CREATE TABLE instance (
	sop_instance_uid VARCHAR NOT NULL, 
	study_instance_uid VARCHAR NOT NULL, 
	series_instance_uid VARCHAR NOT NULL, 
	sop_class_uid VARCHAR NOT NULL, 
	modality VARCHAR NOT NULL, 
	view_position VARCHAR NOT NULL, 
	image_laterality VARCHAR NOT NULL, 
	rows INTEGER NOT NULL, 
	columns INTEGER NOT NULL, 
	source_format VARCHAR NOT NULL, 
	path TEXT NOT NULL, 
	added_at VARCHAR NOT NULL, 
	file_size INTEGER DEFAULT '0' NOT NULL, 
	file_mtime_ns INTEGER DEFAULT '0' NOT NULL, 
	PRIMARY KEY (sop_instance_uid), 
	FOREIGN KEY(study_instance_uid) REFERENCES study (study_instance_uid)
);
INSERT INTO "instance" VALUES('1.2.3.1','1.2.3','1.2.3.2','1.2.840.10008.5.1.4.1.1.1.1','DX','PA','',64,48,'DICOM','/films/1.2.3.1.dcm','2026-11-21T09:35:04.591361+00:00',0,0);
INSERT INTO "instance" VALUES('1.2.4.1','1.2.4','1.2.4.2','1.2.840.10008.5.1.4.1.1.1.1','DX','PA','',64,48,'DICOM','/films/1.2.4.1.dcm','2026-11-21T09:35:04.682073+00:00',0,0);
CREATE TABLE measurement (
	sop_instance_uid VARCHAR NOT NULL, 
	measurements VARCHAR NOT NULL, 
	updated_at VARCHAR NOT NULL, 
	PRIMARY KEY (sop_instance_uid), 
	FOREIGN KEY(sop_instance_uid) REFERENCES instance (sop_instance_uid) ON DELETE CASCADE
);
CREATE TABLE report (
	study_instance_uid VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	updated_at VARCHAR NOT NULL, 
	model_name VARCHAR NOT NULL, 
	model_sha256 VARCHAR NOT NULL, 
	decoding VARCHAR NOT NULL, 
	ai_findings VARCHAR NOT NULL, 
	ai_impression VARCHAR NOT NULL, 
	image_sha256 VARCHAR NOT NULL, 
	PRIMARY KEY (study_instance_uid), 
	FOREIGN KEY(study_instance_uid) REFERENCES study (study_instance_uid)
);
INSERT INTO "report" VALUES('1.2.3','{"findings":[{"confidence":0.75,"id":1,"provenance":"ai","separator":" ","text":"No mass."},{"confidence":null,"id":2,"provenance":"human","separator":" ","text":"Clips."}],"impression":[{"confidence":0.5,"id":3,"provenance":"ai","separator":" ","text":"Normal."}]}','2026-11-21T09:35:04.819529+00:00','embedded','abababababababababababababababababababababababababababababababab','{"mode":"one-step"}','No mass.','Normal.','["ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"]');
INSERT INTO "report" VALUES('1.2.4','{"findings":[{"confidence":null,"id":1,"provenance":"human","separator":" ","text":"Unclear."}],"impression":[]}','2026-11-21T09:35:04.911156+00:00','','','{}','','','[]');
CREATE TABLE signature (
	study_instance_uid VARCHAR NOT NULL, 
	signer VARCHAR NOT NULL, 
	signed_at VARCHAR NOT NULL, 
	meaning VARCHAR NOT NULL, 
	text_sha256 VARCHAR NOT NULL, 
	state_sha256 VARCHAR NOT NULL, 
	audit_row INTEGER NOT NULL, 
	audit_head VARCHAR NOT NULL, 
	PRIMARY KEY (study_instance_uid), 
	FOREIGN KEY(study_instance_uid) REFERENCES report (study_instance_uid)
);
INSERT INTO "signature" VALUES('1.2.3','Dr. Roe','2026-11-21T09:35:04.998816+00:00','I have reviewed the images and approve this report.','cc7645a691a0cbe8b722ec650ef2a488eef0f6185bea52c5e405b753b87a80f2','d46ddde1978b79ebc9e2f303fa4592abd12af17bfd1d6d4dfa1c0e886e26f67d',5,'cac18b95ebec23e9842bd0a818047c6c2da032434601f53b80adf9ebf3ab5b94');
CREATE TABLE study (
	study_instance_uid VARCHAR NOT NULL, 
	patient_name VARCHAR NOT NULL, 
	patient_id VARCHAR NOT NULL, 
	patient_birth_date VARCHAR NOT NULL, 
	patient_sex VARCHAR NOT NULL, 
	study_date VARCHAR NOT NULL, 
	study_time VARCHAR NOT NULL, 
	study_description VARCHAR NOT NULL, 
	accession_number VARCHAR NOT NULL, 
	search_text VARCHAR NOT NULL, 
	added_at VARCHAR NOT NULL, 
	removed_at VARCHAR DEFAULT '' NOT NULL, 
	PRIMARY KEY (study_instance_uid)
);
INSERT INTO "study" VALUES('1.2.3','DOE, JANE','P-1','19700101','F','20260412','101500','Chest PA','A-77','doe, jane
p-1
a-77
20260412
2026-04-12','2026-11-21T09:35:04.590606+00:00','');
INSERT INTO "study" VALUES('1.2.4','DOE, JANE','P-1','19700101','F','20250311','101500','Chest PA','A-77','doe, jane
p-1
a-77
20250311
2025-03-11','2026-11-21T09:35:04.681844+00:00','');
CREATE TABLE watched_file (
	path TEXT NOT NULL, 
	file_size INTEGER NOT NULL, 
	file_mtime_ns INTEGER NOT NULL, 
	reason VARCHAR NOT NULL, 
	seen_at VARCHAR NOT NULL, 
	PRIMARY KEY (path)
);
CREATE INDEX ix_audit_entry_study_instance_uid ON audit_entry (study_instance_uid);
CREATE INDEX ix_instance_study_instance_uid ON instance (study_instance_uid);
CREATE INDEX ix_instance_path ON instance (path);
CREATE INDEX ix_addendum_study_instance_uid ON addendum (study_instance_uid);
CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_entry_no_replace BEFORE INSERT ON audit_entry WHEN EXISTS (SELECT 1 FROM audit_entry WHERE row = NEW.row) BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER signature_no_update BEFORE UPDATE ON signature BEGIN SELECT RAISE(ABORT, 'a signature can not be changed'); END;
CREATE TRIGGER signature_no_delete BEFORE DELETE ON signature BEGIN SELECT RAISE(ABORT, 'a signature can not be changed'); END;
CREATE TRIGGER signature_no_replace BEFORE INSERT ON signature WHEN EXISTS (SELECT 1 FROM signature WHERE study_instance_uid = NEW.study_instance_uid) BEGIN SELECT RAISE(ABORT, 'a signature can not be changed'); END;
CREATE TRIGGER addendum_no_update BEFORE UPDATE ON addendum BEGIN SELECT RAISE(ABORT, 'an addendum can not be changed'); END;
CREATE TRIGGER addendum_no_delete BEFORE DELETE ON addendum BEGIN SELECT RAISE(ABORT, 'an addendum can not be changed'); END;
CREATE TRIGGER addendum_no_replace BEFORE INSERT ON addendum WHEN EXISTS (SELECT 1 FROM addendum WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'an addendum can not be changed'); END;
CREATE TRIGGER audit_entry_in_order BEFORE INSERT ON audit_entry WHEN NOT EXISTS (SELECT 1 FROM audit_head WHERE NEW.row = audit_head.row + 1 AND NEW.previous_hash = audit_head.hash) BEGIN SELECT RAISE(ABORT, 'an audit row must follow the head'); END;
CREATE TRIGGER audit_head_follows BEFORE UPDATE ON audit_head WHEN NEW.id <> 1 OR NEW.row <> OLD.row + 1 OR NOT EXISTS (SELECT 1 FROM audit_entry WHERE audit_entry.row = NEW.row AND audit_entry.hash = NEW.hash) BEGIN SELECT RAISE(ABORT, 'the audit head only moves to the next row'); END;
CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON audit_head BEGIN SELECT RAISE(ABORT, 'the audit head stays'); END;
CREATE TRIGGER audit_head_no_replace BEFORE INSERT ON audit_head WHEN EXISTS (SELECT 1 FROM audit_head) BEGIN SELECT RAISE(ABORT, 'the audit head stays'); END;
CREATE TRIGGER report_no_update BEFORE UPDATE ON report WHEN EXISTS (SELECT 1 FROM signature WHERE signature.study_instance_uid = OLD.study_instance_uid) BEGIN SELECT RAISE(ABORT, 'a signed report can not be changed'); END;
CREATE TRIGGER report_no_delete BEFORE DELETE ON report WHEN EXISTS (SELECT 1 FROM signature WHERE signature.study_instance_uid = OLD.study_instance_uid) BEGIN SELECT RAISE(ABORT, 'a signed report can not be changed'); END;
CREATE TRIGGER report_no_replace BEFORE INSERT ON report WHEN EXISTS (SELECT 1 FROM signature WHERE signature.study_instance_uid = NEW.study_instance_uid) BEGIN SELECT RAISE(ABORT, 'a signed report can not be changed'); END;
COMMIT;
PRAGMA application_id=1162037327;
PRAGMA user_version=3;
