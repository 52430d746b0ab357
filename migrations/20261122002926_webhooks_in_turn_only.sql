-- Its successor is there.
drop index webhook_delivery_by_time;
