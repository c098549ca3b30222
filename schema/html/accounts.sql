-- What became of the frames of one capture
SELECT disposition, frames, bytes FROM frame_account WHERE capture_file_id = :file
ORDER BY frames DESC, disposition;
