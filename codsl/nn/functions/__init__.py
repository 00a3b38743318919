"""What is done to frames: functions of clips and windows `(B, C, T, *S)`; nothing of streams."""
