-- A catalog of schema version 2 (commit 38b47c7): two studies, one of them signed.
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
INSERT INTO "audit_entry" VALUES(1,'2026-11-21T06:49:50.286429+00:00','import','reader','1.2.3','{"path":"/films/1.2.3.1.dcm"}','0000000000000000000000000000000000000000000000000000000000000000','635d51b618402aa2b831acc8dafc3f53816346eb863c0c71932a9013837a347a');
INSERT INTO "audit_entry" VALUES(2,'2026-11-21T06:49:50.413853+00:00','import','reader','1.2.4','{"path":"/films/1.2.4.1.dcm"}','635d51b618402aa2b831acc8dafc3f53816346eb863c0c71932a9013837a347a','35b24d8741d84f544eb64b89d0a2be2a1c33ce71ea4ed85799402cbbde5b3aee');
INSERT INTO "audit_entry" VALUES(3,'2026-11-21T06:49:50.467432+00:00','edit','reader','1.2.3','{"after":"Normal.","before":"","kind":"text","section":"findings"}','35b24d8741d84f544eb64b89d0a2be2a1c33ce71ea4ed85799402cbbde5b3aee','f88f971c2adf9a0b3861e5dfed586ddb10df3914052885ca6e1a9f3c982fd959');
INSERT INTO "audit_entry" VALUES(4,'2026-11-21T06:49:50.534317+00:00','sign','Dr. Roe','1.2.3','{"meaning":"I have reviewed the images and approve this report.","provenance":{"human":1},"signer":"Dr. Roe","state_sha256":"91e1d3bf669b3b53d6b229abc4a89b01db52e0dd5461d2310cc41628b4668ae9","text":"Findings: Normal.\nImpression: ","text_sha256":"f68d7ef9bec04a474aa3db815f108f22a3e7c1f1484084d9657c050c969d1f91"}','f88f971c2adf9a0b3861e5dfed586ddb10df3914052885ca6e1a9f3c982fd959','b73072d0a26d6fb7e2c29b637e64dba2ce112769ad08dfa1cec279ee6d50140a');
CREATE TABLE audit_head (
	id INTEGER NOT NULL, 
	"row" INTEGER NOT NULL, 
	hash VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	CHECK (id = 1)
);
INSERT INTO "audit_head" VALUES(1,4,'b73072d0a26d6fb7e2c29b637e64dba2ce112769ad08dfa1cec279ee6d50140a');
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
	PRIMARY KEY (sop_instance_uid), 
	FOREIGN KEY(study_instance_uid) REFERENCES study (study_instance_uid)
);
INSERT INTO "instance" VALUES('1.2.3.1','1.2.3','1.2.3.2','1.2.840.10008.5.1.4.1.1.1.1','DX','PA','',64,48,'DICOM','/films/1.2.3.1.dcm','2026-11-21T06:49:50.212473+00:00');
INSERT INTO "instance" VALUES('1.2.4.1','1.2.4','1.2.3.2','1.2.840.10008.5.1.4.1.1.1.1','DX','LL','',64,48,'DICOM','/films/1.2.4.1.dcm','2026-11-21T06:49:50.347739+00:00');
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
INSERT INTO "report" VALUES('1.2.3','{"findings":[{"confidence":null,"id":1,"provenance":"human","separator":" ","text":"Normal."}],"impression":[]}','2026-11-21T06:49:50.468129+00:00','','','{}','','','[]');
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
INSERT INTO "signature" VALUES('1.2.3','Dr. Roe','2026-11-21T06:49:50.534317+00:00','I have reviewed the images and approve this report.','f68d7ef9bec04a474aa3db815f108f22a3e7c1f1484084d9657c050c969d1f91','91e1d3bf669b3b53d6b229abc4a89b01db52e0dd5461d2310cc41628b4668ae9',4,'b73072d0a26d6fb7e2c29b637e64dba2ce112769ad08dfa1cec279ee6d50140a');
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
	PRIMARY KEY (study_instance_uid)
);
INSERT INTO "study" VALUES('1.2.3','DOE, JANE','P-1','19700101','F','20260412','101500','Chest PA','A-77','doe, jane
p-1
a-77
20260412
2026-04-12','2026-11-21T06:49:50.211253+00:00');
INSERT INTO "study" VALUES('1.2.4','DOE, JANE','P-1','19700101','F','20250311','101500','Chest PA','A-77','doe, jane
p-1
a-77
20250311
2025-03-11','2026-11-21T06:49:50.347171+00:00');
CREATE INDEX ix_audit_entry_study_instance_uid ON audit_entry (study_instance_uid);
CREATE INDEX ix_instance_study_instance_uid ON instance (study_instance_uid);
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
PRAGMA user_version=2;
