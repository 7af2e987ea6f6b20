// Sends one datagram: udp-client.mjs SOURCE DESTINATION PORT TEXT [MULTICAST_INTERFACE]
import { createSocket } from 'node:dgram';

const [source, destination, port, text, multicastInterface] = process.argv.slice(2);
const socket = createSocket('udp4');
socket.bind(0, source, () => {
  if (multicastInterface !== undefined) socket.setMulticastInterface(multicastInterface);
  socket.send(text, Number(port), destination, () => socket.close());
});
