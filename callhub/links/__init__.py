"""WebSocket links for gateways and responders' apps: socket work only; what frames mean is ``protocol``'s business."""
