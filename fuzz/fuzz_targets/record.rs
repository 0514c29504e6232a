//! Any bytes as a record: it is read or refused with a reason, and what was read is written back and
//! read again as the same.
#![no_main]

use hapless::core::record::Record;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match Record::from_json(bytes) {
        Err(reason) => assert!(!reason.is_empty()),
        Ok(record) => {
            let _ = record.command_line();
            let again = serde_json::to_vec(&record).expect("it serializes");
            assert_eq!(Record::from_json(&again).as_ref(), Ok(&record));
        }
    }
});
