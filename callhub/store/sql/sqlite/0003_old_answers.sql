-- Answers that go after a time, oldest first: those to gateways stay, since a repeated press gets its first answer.
CREATE INDEX answer_old ON answer (at) WHERE substr(sender, 1, 8) <> 'gateway:';
