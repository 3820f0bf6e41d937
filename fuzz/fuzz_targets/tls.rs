#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chatnio_fuzz::tls::run(data));
