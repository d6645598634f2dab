BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
CREATE TABLE alembic_version_accounts (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_accounts_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version_accounts" VALUES('0001');
CREATE TABLE alembic_version_predictions (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_predictions_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version_predictions" VALUES('0001');
CREATE TABLE boot_outcomes (
	step VARCHAR(64) NOT NULL, 
	outcome TEXT NOT NULL, 
	duration_seconds FLOAT NOT NULL, 
	finished_at FLOAT NOT NULL, 
	PRIMARY KEY (step)
);
INSERT INTO "boot_outcomes" VALUES('x','x',1.5,1.5);
CREATE TABLE jobs (
	id VARCHAR(32) NOT NULL, 
	kind VARCHAR(64) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	payload JSON NOT NULL, 
	priority INTEGER NOT NULL, 
	attempt INTEGER NOT NULL, 
	done INTEGER NOT NULL, 
	total INTEGER NOT NULL, 
	message TEXT NOT NULL, 
	error TEXT, 
	owner VARCHAR(160), 
	lease_expires_at FLOAT, 
	cancel_requested BOOLEAN NOT NULL, 
	not_before FLOAT NOT NULL, 
	created_at FLOAT NOT NULL, 
	queued_at FLOAT NOT NULL, 
	started_at FLOAT, 
	finished_at FLOAT, 
	updated_at FLOAT NOT NULL, 
	revision INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "jobs" VALUES('x','x','x','{}',1,1,1,1,'x','x','x',1.5,0,1.5,1.5,1.5,1.5,1.5,1.5,1);
CREATE TABLE prediction_cache (
	"key" VARCHAR(64) NOT NULL, 
	output TEXT NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "prediction_cache" VALUES('x','x',1.5);
CREATE TABLE prediction_rows (
	prediction_id VARCHAR(32) NOT NULL, 
	position INTEGER NOT NULL, 
	input JSON NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	output TEXT, 
	error TEXT, 
	model TEXT, 
	cached BOOLEAN NOT NULL, 
	finish_no INTEGER, 
	PRIMARY KEY (prediction_id, position), 
	FOREIGN KEY(prediction_id) REFERENCES predictions (id)
);
INSERT INTO "prediction_rows" VALUES('x',1,'{}','x','x','x','x',0,1);
CREATE TABLE predictions (
	id VARCHAR(32) NOT NULL, 
	job_id VARCHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	prompt TEXT NOT NULL, 
	columns JSON NOT NULL, 
	model TEXT NOT NULL, 
	total INTEGER NOT NULL, 
	done INTEGER NOT NULL, 
	failed INTEGER NOT NULL, 
	finish_seq INTEGER NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (job_id), 
	FOREIGN KEY(job_id) REFERENCES jobs (id)
);
INSERT INTO "predictions" VALUES('x','x','x','x','{}','x',1,1,1,1,1.5);
CREATE TABLE presence (
	room VARCHAR(255) NOT NULL, 
	sid VARCHAR(64) NOT NULL, 
	member VARCHAR(255) NOT NULL, 
	holder VARCHAR(64) NOT NULL, 
	mark INTEGER NOT NULL, 
	PRIMARY KEY (room, sid)
);
INSERT INTO "presence" VALUES('x','x','x','x',1);
CREATE TABLE presence_holders (
	holder VARCHAR(64) NOT NULL, 
	expires_at FLOAT NOT NULL, 
	PRIMARY KEY (holder)
);
INSERT INTO "presence_holders" VALUES('x',1.5);
CREATE TABLE sign_in_attempts (
	subject VARCHAR(80) NOT NULL, 
	failures INTEGER NOT NULL, 
	last_at FLOAT NOT NULL, 
	locked_until FLOAT NOT NULL, 
	PRIMARY KEY (subject)
);
INSERT INTO "sign_in_attempts" VALUES('x',1,1.5,1.5);
CREATE TABLE user_links (
	hash VARCHAR(64) NOT NULL, 
	purpose VARCHAR(16) NOT NULL, 
	email VARCHAR(254) NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	created_at FLOAT NOT NULL, 
	expires_at FLOAT NOT NULL, 
	used_at FLOAT, 
	PRIMARY KEY (hash)
);
INSERT INTO "user_links" VALUES('x','x','x','x',1.5,1.5,1.5);
CREATE TABLE user_sessions (
	id VARCHAR(16) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	user_id VARCHAR(16) NOT NULL, 
	created_at FLOAT NOT NULL, 
	last_seen_at FLOAT NOT NULL, 
	expires_at FLOAT NOT NULL, 
	address VARCHAR(64) NOT NULL, 
	user_agent TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (hash), 
	FOREIGN KEY(user_id) REFERENCES users (id)
);
INSERT INTO "user_sessions" VALUES('x','x','x',1.5,1.5,1.5,'x','x');
CREATE TABLE users (
	id VARCHAR(16) NOT NULL, 
	email VARCHAR(254) NOT NULL, 
	name TEXT NOT NULL, 
	password_hash TEXT NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	created_at FLOAT NOT NULL, 
	disabled_at FLOAT, 
	last_sign_in_at FLOAT, 
	PRIMARY KEY (id), 
	UNIQUE (email)
);
INSERT INTO "users" VALUES('x','x','x','x','x',1.5,1.5,1.5);
CREATE INDEX jobs_by_state ON jobs (state, priority, created_at);
CREATE INDEX jobs_by_change ON jobs (updated_at);
CREATE INDEX presence_by_holder ON presence (holder);
CREATE INDEX user_sessions_by_user ON user_sessions (user_id);
CREATE INDEX user_sessions_by_end ON user_sessions (expires_at);
CREATE INDEX user_links_by_email ON user_links (email);
CREATE INDEX sign_in_attempts_by_age ON sign_in_attempts (last_at);
CREATE INDEX predictions_by_age ON predictions (created_at);
CREATE INDEX prediction_rows_by_finish ON prediction_rows (prediction_id, finish_no);
COMMIT;
