//! Where a serialisation goes.

/// Takes bytes in order. Implemented by `Vec<u8>` and by the hashes.
pub trait Sink {
    fn put(&mut self, bytes: &[u8]);

    fn put_u8(&mut self, value: u8) {
        self.put(&[value]);
    }

    fn put_i8(&mut self, value: i8) {
        self.put(&value.to_le_bytes());
    }

    fn put_u32(&mut self, value: u32) {
        self.put(&value.to_le_bytes());
    }

    fn put_i32(&mut self, value: i32) {
        self.put(&value.to_le_bytes());
    }

    fn put_i64(&mut self, value: i64) {
        self.put(&value.to_le_bytes());
    }

    /// A CompactSize in its shortest form.
    fn put_length(&mut self, length: usize) {
        if let Ok(small) = u8::try_from(length)
            && small < 0xfd
        {
            self.put_u8(small);
        } else if let Ok(value) = u16::try_from(length) {
            self.put_u8(0xfd);
            self.put(&value.to_le_bytes());
        } else if let Ok(value) = u32::try_from(length) {
            self.put_u8(0xfe);
            self.put_u32(value);
        } else {
            self.put_u8(0xff);
            self.put(&length.to_le_bytes());
        }
    }

    /// A length and the bytes.
    fn put_var_bytes(&mut self, bytes: &[u8]) {
        self.put_length(bytes.len());
        self.put(bytes);
    }
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}
