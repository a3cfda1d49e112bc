is_layout() { false; }
